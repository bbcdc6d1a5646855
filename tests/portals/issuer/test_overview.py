"""The first page of the desk: what to do, how the money stands, what happened last."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from giftpad import payments, reporting, shops
from giftpad.kernel.ids import new_id
from giftpad.kernel.migrate import ROOT
from giftpad.kernel.work import unit_of_work
from giftpad.portals.issuer import overview
from giftpad.portals.issuer.overview import period_days
from tests import make_coupons
from tests.make_pages import make_site
from tests.portals.issuer.counter import words
from tests.pump import pump

TODAY = date(2026, 11, 21)


def desk(site, role="owner"):
    browser = site.person(role)
    browser.headers["Accept-Language"] = "en"
    return browser


def pay(site, code, amount_minor):
    order = payments.PayOrder(
        kind="coupon",
        code=code,
        shop_id=site.shop_id(),
        amount_minor=amount_minor,
        key=new_id().hex,
        request_hash=b"1",
    )
    payments.pay(site.scope, order)
    pump(site.settings)


def test_the_first_day_says_what_comes_next(site):
    said = words(desk(site).get("/desk"))
    assert "Nothing to do today" in said
    assert "No coupons have been ordered yet. Order the first ones to begin." in said
    for role in ("viewer", "approver", "counter"):
        answer = desk(site, role).get("/desk")
        assert "/desk/batches/new" not in answer.text, role
        assert "No coupons have been ordered yet." in words(answer), role
        assert "Order the first" not in words(answer), role
    japanese = site.person("viewer")
    japanese.headers["Accept-Language"] = "ja"
    assert "まだ商品券を注文していません。" in words(japanese.get("/desk"))
    assert "つくりましょう" not in words(japanese.get("/desk"))


COUPONS_OF_COMPANY = "programmes/shokuji.toml"


@pytest.fixture
def company(house, settings, tmp_path):
    """A company that sends gifts and has no coupons; what is left of one is kept for shops."""
    return make_site(settings, tmp_path, slug="hanamaru", without=(COUPONS_OF_COMPANY,))


def test_a_company_that_has_only_gifts_begins_with_gifts(company):
    browser = desk(company, "issuer")
    answer = browser.get("/desk")
    assert "coupons have been ordered" not in words(answer)
    assert "No gifts have been sent yet. Choose a design and goods" in words(answer)
    begun = browser.post("/desk/gifts", {"key": browser.key()})
    assert re.fullmatch(r"/desk/gifts/[0-9a-f-]{36}/design", begun.headers["Location"])
    for role in ("issuer", "viewer"):
        answer = desk(company, role).get("/desk")
        assert "All orders, and how far they are, stand under Gifts. See the gifts" in words(answer)
        assert 'href="/desk/gifts"' in answer.text.partition("<main")[2], role


def test_who_may_not_order_gifts_reads_that_there_are_none(company):
    for role in ("viewer", "support", "approver"):
        answer = desk(company, role).get("/desk")
        assert "No gifts have been sent yet." in words(answer), role
        assert "Choose a design" not in words(answer), role
        assert 'action="/desk/gifts"' not in answer.text, role
    assert "No coupons have been ordered yet." in words(desk(company, "counter").get("/desk"))
    japanese = company.person("viewer")
    japanese.headers["Accept-Language"] = "ja"
    assert "まだ贈りものを送っていません。" in words(japanese.get("/desk"))
    assert "選び" not in words(japanese.get("/desk"))


def test_a_company_without_a_contract_or_a_programme_is_told_whom_to_ask(house, settings, tmp_path):
    left_out = (COUPONS_OF_COMPANY, "programmes/okuri.toml", "gifts.toml")
    bare = make_site(settings, tmp_path, slug="hanamaru", without=left_out)
    answer = desk(bare, "owner").get("/desk")
    assert "There is no contract for gifts yet. Ask whoever runs Giftpad for you." in words(answer)
    assert 'action="/desk/gifts"' not in answer.text


def test_a_town_without_a_programme_is_told_so(house, settings, tmp_path):
    there = (ROOT / "tenants/midori-city/programmes").iterdir()
    left_out = tuple(f"programmes/{path.name}" for path in there)
    bare = make_site(settings, tmp_path, without=left_out)
    assert "Start by deciding the value" in words(desk(bare, "owner").get("/desk"))
    said = words(desk(bare, "viewer").get("/desk"))
    assert "There is no programme yet." in said
    assert "Start by deciding" not in said


def test_a_company_with_coupons_too_begins_with_them(house, settings, tmp_path):
    both = make_site(settings, tmp_path, slug="hanamaru")
    said = words(desk(both).get("/desk"))
    assert "No coupons have been ordered yet. Order the first ones to begin." in said


def test_what_is_to_do_is_told_to_who_can_do_it(site, monkeypatch):
    make_coupons.order(site.town(), 5)
    pump(site.settings)
    with monkeypatch.context() as patch:
        make_coupons.spoil_items(patch, lambda items: items[::-1])
        make_coupons.order(site.town(), 3)
        pump(site.settings)
    said = words(desk(site).get("/desk"))
    assert "There are 2 things to do today" in said
    assert "Do not print Living support coupon: the check of 3 coupons found faults." in said
    assert "5 coupons are printed and checked. Take out the files. Take out" in said
    assert "Nothing to do today" in words(desk(site, "viewer").get("/desk"))


def test_a_run_that_stands_still_is_told_on_every_page_about_it(site, superuser_url):
    batch_id = make_coupons.order(site.town(), 5)
    browser = desk(site)
    assert "Nothing to do today" in words(browser.get("/desk"))
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "UPDATE coupon_batches SET created_at = now() - interval '2 hours' WHERE id = %s",
            [batch_id],
        )
    said = words(browser.get("/desk"))
    assert "5 coupons has stood still since" in said
    assert "Whoever runs Giftpad can see why." in said
    assert "Stands still" in words(browser.get("/desk/batches"))
    for path in (f"/desk/batches/{batch_id}", f"/desk/batches/{batch_id}/progress"):
        said = words(browser.get(path))
        assert "This print run stands still" in said
        assert "You may close this page" not in said
    pump(site.settings)
    assert "stands still" not in words(browser.get(f"/desk/batches/{batch_id}"))


def test_a_run_taken_out_waits_for_its_release(site):
    batch_id = make_coupons.order(site.town(), 5)
    pump(site.settings)
    make_coupons.take_pdf(site.town(), batch_id)
    answer = desk(site, "approver").get("/desk")
    assert "There is 1 thing to do today" in words(answer)
    assert "5 coupons wait for their release. Look at it" in words(answer)
    assert f'href="/desk/batches/{batch_id}"' in answer.text
    assert "Nothing to do today" in words(desk(site, "issuer").get("/desk"))


def send_list(site, text):
    with shops.kept_file(site.scope, text.encode()) as kept, unit_of_work(site.scope) as work:
        import_id = shops.order_import(work, kept)
    pump(site.settings)
    return import_id


def test_a_faulty_list_of_shops_waits_until_a_good_one_comes(site):
    good = (ROOT / "tenants/midori-city/shops.csv").read_text(encoding="utf-8")
    import_id = send_list(site, good.replace("1001", "", 1))
    answer = desk(site, "issuer").get("/desk")
    assert "Errors in the newest list of shops: 1. Put it right" in words(answer)
    assert f'href="/desk/shops/imports/{import_id}"' in answer.text
    assert "Nothing to do today" in words(desk(site, "approver").get("/desk"))
    send_list(site, good)
    assert "Nothing to do today" in words(desk(site, "issuer").get("/desk"))


def test_the_money_adds_up_and_the_last_payment_is_there(site):
    paper = site.paper(4)
    pay(site, paper[0][0], 300)
    said = words(desk(site).get("/desk"))
    equation = "¥4,000 was issued. Of it ¥3,700 is left, ¥300 was used and ¥0 expired."
    assert equation in said
    assert "1 payment, ¥300 used" in said
    with unit_of_work(site.scope) as work:
        (payment,) = payments.list_payments(work, payments.PaymentFilter())
    answer = desk(site).get("/desk")
    assert f'href="/desk/payments/{payment.id}"' in answer.text
    assert "まるやま青果店" in words(answer) or "¥300" in words(answer)


def test_what_is_not_released_is_not_said_to_be_left_to_spend(site):
    pay(site, site.paper(4)[0][0], 300)
    batch_id = make_coupons.order(site.town(), 5)
    pump(site.settings)
    split = (
        "¥9,000 was issued. Of it ¥5,000 is not released yet, ¥3,700 is released and left,"
        " ¥300 was used and ¥0 expired."
    )
    programme = f"/desk/programmes/{site.town().programme_id}"
    for path in ("/desk", programme):
        said = words(desk(site).get(path))
        assert split in said, path
        assert "Not released yet ¥5,000" in said, path
        assert "Released, not used yet ¥3,700" in said, path
    make_coupons.release(site.town(), batch_id)
    for path in ("/desk", programme):
        said = words(desk(site).get(path))
        assert "¥9,000 was issued. Of it ¥8,700 is left, ¥300 was used" in said, path
        assert "Not released yet" not in said, path


def test_a_cancelled_payment_is_counted_and_struck_as_such(site):
    paper = site.paper(4)
    pay(site, paper[0][0], 300)
    pay(site, paper[1][0], 200)
    with unit_of_work(site.scope) as work:
        newest, _ = payments.list_payments(work, payments.PaymentFilter())
        payments.void(work, newest.id, reason="")
    pump(site.settings)
    answer = desk(site).get("/desk")
    assert "2 payments, 1 of them cancelled, ¥300 used" in words(answer)
    assert '<s class="gp-amount">¥200</s>' in answer.text
    assert '<s class="gp-amount">¥300</s>' not in answer.text


def test_the_figures_are_of_the_programme_and_the_time_asked_for(site):
    pay(site, site.paper(4)[0][0], 300)
    other_id = make_coupons.add_programme(site.town(), "ZZ")
    said = words(desk(site).get(f"/desk?programme={other_id}"))
    assert "¥0 was issued." in said
    assert "No payments yet." in said
    said = words(desk(site).get("/desk?period=before"))
    assert "0 payments, ¥0 used" in said
    year = desk(site).get("/desk?period=year")
    today = (datetime.now(UTC) + timedelta(hours=9)).date()
    assert f"{today:%b} ¥300" in words(year)
    assert desk(site).get("/desk?programme=x&period=y").status_code == 200


def test_late_figures_say_so(site, monkeypatch):
    site.paper(4)
    assert "minutes old" not in words(desk(site).get("/desk"))
    told = reporting.get_figures

    def late(work, programme_id=None):
        figures = told(work, programme_id)
        changed = {name: getattr(figures, name) for name in figures.__dataclass_fields__}
        return reporting.Figures(**(changed | {"lag_s": 485}))

    monkeypatch.setattr(reporting, "get_figures", late)
    assert "These figures are 8 minutes old" in words(desk(site).get("/desk"))


def test_more_given_back_than_paid_is_an_empty_bar_with_its_figure(site):
    day = reporting.Day(day=TODAY, paid_minor=200, refunded_minor=500)
    with site.app.test_request_context("/desk"):
        ((_, height, text),) = overview.bars([day], "JPY", by_month=False)
    assert (height, text) == (0, "-¥300")


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        ("30", TODAY, date(2026, 10, 23), TODAY),
        ("month", TODAY, date(2026, 11, 1), TODAY),
        ("before", TODAY, date(2026, 10, 1), date(2026, 10, 31)),
        ("before", date(2026, 1, 31), date(2025, 12, 1), date(2025, 12, 31)),
        ("year", TODAY, date(2026, 4, 1), TODAY),
        ("year", date(2027, 3, 31), date(2026, 4, 1), date(2027, 3, 31)),
    ],
)
def test_a_period_has_its_days(period, today, first, last):
    assert period_days(period, today) == (first, last)


def test_each_part_needs_its_permission(site):
    site.paper(4)
    seen = {
        role: words(desk(site, role).get("/desk"))
        for role in ("viewer", "support", "counter", "owner")
    }
    assert ["was issued." in seen[r] for r in seen] == [True, False, False, True]
    assert ["Latest payments" in seen[r] for r in seen] == [True, True, False, True]


def test_nobody_is_sent_to_sign_in_and_a_clerk_has_another_place(site):
    assert site.nobody().get("/desk").headers["Location"].startswith("/sign-in")
    assert desk(site, "clerk").get("/desk").headers["Location"] == "/shop"


def test_nothing_of_another_town_is_shown(site, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    other = make_site(site.settings, folder, slug="hanamaru")
    pay(site, site.paper(4)[0][0], 300)
    programme_id = site.town().programme_id
    said = words(desk(other).get(f"/desk?programme={programme_id}"))
    assert "¥4,000" not in said
    assert "¥300" not in said


def test_the_day_begins_with_a_word_for_its_hour(site, monkeypatch):
    at = {}
    monkeypatch.setattr(overview, "local", lambda _now: at["now"])
    greetings = []
    for hour in (6, 10, 11, 16, 17, 23):
        at["now"] = datetime(2026, 11, 21, hour, tzinfo=UTC)
        said = words(desk(site).get("/desk"))
        greetings += re.findall(r"Good (\w+)\.", said)
    assert greetings == ["morning"] * 2 + ["afternoon"] * 2 + ["evening"] * 2
