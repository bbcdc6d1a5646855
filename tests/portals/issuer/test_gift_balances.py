"""Balances at the desk: the step of the goods, the figures, the board, one gift."""

from __future__ import annotations

import pytest

from giftpad import coupons, gifts, programmes
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gift_pages import Company, make_company, path
from tests.make_gifts import HOME
from tests.portals.issuer.counter import words

CARD = "氏名,送り方\n見本 花子,カード\n"
LINK = "氏名,送り方\n見本 花子,リンク\n"


@pytest.fixture
def company(house, settings, tmp_path) -> Company:
    return make_company(settings, tmp_path)


@pytest.fixture
def programme_id(company) -> str:
    """The programme of the house's pack that takes gifts."""
    with unit_of_work(company.site.scope) as work:
        found = programmes.find_programme_by_slug(work, "okuri")
    assert found is not None
    return str(found.id)


def said(programme_id, **more):
    return {"kind": "balance", "amount": "5,000円", "programme": programme_id, "buys": ""} | more


def test_an_amount_is_asked_for_counted_approved_and_shown(company, programme_id):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    page = words(browser.get(path(order_id, "/goods")))
    assert "Hanamaru gift balance" in page
    assert "Staff meal coupon" not in page, "it takes no gifts"
    answer = browser.post(path(order_id, "/goods"), said(programme_id))
    assert answer.status_code == 303, answer.text
    draft = company.order(order_id).draft
    assert (draft.kind, draft.amount_minor, draft.course_id) == ("balance", 5000, None)
    check = words(browser.get(path(order_id, "/check")))
    assert "2 gifts = ¥10,300" in check
    assert "A balance of ¥5,000, can be kept for shops of Hanamaru gift balance" in check
    company.submit(browser, order_id)
    company.work_off()
    board = words(browser.get(path(order_id)))
    assert "Used in a shop 0" in board
    gift = company.gifts(order_id)[0]
    with unit_of_work(company.site.scope) as work:
        gifts.keep(work, gifts.KeepOrder(gift_id=gift.id, key=new_id().hex))
    one = words(browser.get(f"/desk/gifts/one/{gift.id}"))
    assert "Kept for shops ¥5,000 HG-0000001" in one
    assert "Spent in shops ¥0" in one
    coupon = browser.get("/desk/coupons/HG-0000001")
    assert coupon.status_code == 200
    assert "¥5,000" in words(coupon)
    with unit_of_work(company.site.scope) as work:
        batch_id = coupons.get_coupon(work, "HG-0000001").batch_id
    assert browser.get(f"/desk/batches/{batch_id}").status_code == 200
    report = browser.get(path(order_id, "/report.csv")).get_data(as_text=True)
    assert "5000" in report


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"amount": ""}, "Write an amount between 1 and 1,000,000 yen."),
        ({"amount": "1000001"}, "Write an amount between 1 and 1,000,000 yen."),
        ({"programme": ""}, "Say what it is for"),
        ({"programme": "00000000-0000-7000-8000-000000000000"}, "choose"),
    ],
)
def test_what_is_missing_of_an_amount_is_said_at_its_field(company, programme_id, more, told):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    answer = browser.post(path(order_id, "/goods"), said(programme_id, **more))
    assert answer.status_code == 422
    assert told.casefold() in words(answer).casefold()
    assert company.order(order_id).draft.kind == "course"


def test_changing_ones_mind_leaves_nothing_of_the_other_kind(company, programme_id):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    browser.post(path(order_id, "/goods"), said(programme_id, buys=str(company.course_id)))
    assert company.order(order_id).draft.course_id == company.course_id
    fields = {"kind": "course", "course": str(company.course_id), "amount": "5000"}
    assert browser.post(path(order_id, "/goods"), fields).status_code == 303
    draft = company.order(order_id).draft
    assert (draft.kind, draft.amount_minor, draft.programme_id) == ("course", None, None)


def test_a_preview_names_the_amount_that_is_given(company, programme_id):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    browser.post(path(order_id, "/goods"), said(programme_id))
    for page in ("/design", "/preview"):
        assert "A balance of ¥5,000, can be kept" in words(browser.get(path(order_id, page))), page


def test_what_a_balance_bought_stays_and_the_rest_of_it_is_taken_back(company, programme_id):
    browser = company.person("issuer")
    order_id = company.prepare(browser)
    amount = said(programme_id, amount="8000", buys=str(company.course_id))
    assert browser.post(path(order_id, "/goods"), amount).status_code == 303
    company.submit(browser, order_id)
    company.work_off()
    spend(company, company.gifts(order_id)[0].id, 5000)
    with unit_of_work(company.site.scope) as work:
        days = gifts.list_days(work, order_id)
        ways = gifts.list_channels(work, order_id)
    assert [day.claimed for day in days] == [1], "on the day when something was first chosen"
    assert [way.claimed for way in ways] == [1]
    asked = words(browser.get(path(order_id, "/cancel-rest")))
    assert "What is left of 2 gifts is taken back. What was chosen or kept already stays." in asked
    assert "¥11,000 come back" in asked
    form = {"key": browser.key(), "why": "declined", "words": ""}
    done = browser.follow(browser.post(path(order_id, "/cancel-rest"), form))
    assert "2 gifts are taken back." in words(done)
    asked = words(browser.get(path(order_id, "/cancel-rest")))
    assert "There is nothing left to take back." in asked


@pytest.mark.parametrize("act", ["replace", "address"])
def test_another_link_of_what_was_bought_with_wants_a_tick(company, programme_id, act):
    browser = company.person("issuer")
    order_id = company.prepare(browser, CARD if act == "replace" else LINK)
    amount = said(programme_id, amount="8000", buys=str(company.course_id))
    assert browser.post(path(order_id, "/goods"), amount).status_code == 303
    company.submit(browser, order_id)
    company.work_off()
    gift_id = company.gifts(order_id)[0].id
    support, here = company.person("support"), f"/desk/gifts/one/{gift_id}/{act}"
    assert 'name="same_person"' not in support.get(here).text
    spend(company, gift_id, 5000)
    before = company.gifts(order_id)[0]
    assert 'name="same_person"' in support.get(here).text
    form = {"why": "lost", "channel": "mail", "address": "new@example.com"}
    refused = support.post(here, form | {"key": support.key()})
    assert refused.status_code == 409
    assert "Something was chosen with this gift already. Nothing was changed." in words(refused)
    assert company.gifts(order_id)[0] == before
    done = support.post(here, form | {"key": support.key(), "same_person": "yes"})
    assert done.status_code == 303, done.text
    assert company.gifts(order_id)[0].channel == "mail"


def test_the_card_in_the_place_of_a_lost_one_is_named_and_in_no_archive(company):
    browser = company.person("issuer")
    order_id = company.prepare(browser, CARD)
    company.submit(browser, order_id)
    company.work_off()
    board = words(browser.get(path(order_id)))
    assert "In place of" not in board
    assert "In this ZIP the lost cards" not in board
    gift_id = company.gifts(order_id)[0].id
    support, here = company.person("support"), f"/desk/gifts/one/{gift_id}/replace"
    support.get(here)
    form = {"why": "lost", "channel": "card", "address": "", "key": support.key()}
    assert support.post(here, form).status_code == 303
    company.work_off()
    board = words(browser.get(path(order_id)))
    assert "In place of the lost card of row 2" in board
    assert "In this ZIP the lost cards stand as they were first printed" in board


def spend(company, gift_id, amount_minor):
    """Let a balance buy the one thing there is."""
    order = gifts.BasketOrder(
        gift_id=gift_id,
        key=new_id().hex,
        variant_ids=(company.variants[0],),
        total_minor=amount_minor,
        address=HOME,
    )
    with unit_of_work(company.site.scope) as work:
        gifts.claim_items(work, order)
