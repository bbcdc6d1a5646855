"""Payments at the desk, through HTTP: found, taken away as CSV, given back."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from giftpad import coupons, payments, shops
from giftpad.kernel.db import Busy, DatabaseAway
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_pages import FIRST_SHOP, make_site
from tests.portals.issuer.counter import Counter, send, words

WRONG = {"why": "wrong amount"}


@pytest.fixture
def desk(site) -> Counter:
    """A town with a few coupons released."""
    return Counter(site)


def rename_shop(desk: Counter, name: str) -> None:
    with unit_of_work(desk.site.scope) as work:
        shops.change_facts(work, desk.site.shop_id(), {"name": name})


def test_who_may_see_and_who_may_give_back(desk):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    address = f"/desk/payments/{paid.id}"
    assert desk.site.nobody().get(address).status_code == 303
    for role in ("clerk", "shop_owner", "counter"):
        assert desk.person(role).get(address).status_code == 403, role
        assert desk.person(role).get("/desk/payments").status_code == 403, role
    viewer = desk.person("viewer")
    page = viewer.get(address)
    assert page.status_code == 200
    assert "/refund" not in page.text
    assert viewer.get(f"{address}/refund").status_code == 403
    assert viewer.post(f"{address}/refund", WRONG | {"amount": "1"}).status_code == 403
    assert desk.coupon(serial).balance_minor == 700


def test_the_list_is_found_by_shop_coupon_state_and_days(desk):
    first, second = desk.coupons(2)
    paid = desk.pay(first, 300)
    desk.pay(second, 500)
    viewer = desk.person("viewer")
    said = words(viewer.get("/desk/payments"))
    assert payments.receipt_number(paid.id) in said
    assert "¥300" in said
    assert "¥500" in said

    said = words(viewer.get(f"/desk/payments?serial={first.lower()}"))
    assert "¥300" in said
    assert "¥500" not in said
    said = words(viewer.get(f"/desk/payments?shop={FIRST_SHOP}"))
    assert "Stays with the shops ¥800" in said
    assert "¥500" not in words(viewer.get("/desk/payments?state=voided"))
    assert "No payment fits this filter." in words(viewer.get("/desk/payments?state=voided"))
    assert "¥500" in words(viewer.get("/desk/payments?first=2020-01-01"))
    assert "¥500" not in words(viewer.get("/desk/payments?last=2020-01-01"))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("first=2026-13-01", "Please give the day"),
        ("first=2026-02-02&last=2026-02-01", "The last day is before the first."),
        ("serial=ZZ-1", "There is no coupon with this number."),
        ("shop=nowhere", "No shop has this number or name."),
        ("shop=店", "Which shop is it?"),
        ("state=lost", "Please choose one of these."),
        ("programme=x", "Please choose one of these."),
    ],
)
def test_a_filter_that_cannot_be_is_kept_and_said(desk, asked, said):
    viewer = desk.person("viewer")
    for path in ("/desk/payments", "/desk/payments/all.csv"):
        answer = viewer.get(f"{path}?{asked}")
        assert answer.status_code == 422, path
        assert said in words(answer)


def test_a_list_goes_on_page_by_page(desk, monkeypatch):
    monkeypatch.setattr("giftpad.portals.issuer.payments.PAGE", 2)
    (serial,) = desk.coupons(1)
    ids = [desk.pay(serial, amount).id for amount in (1, 2, 3)]
    viewer = desk.person("viewer")
    page = viewer.get(f"/desk/payments?serial={serial}")
    assert str(ids[0]) not in page.text
    assert str(ids[2]) in page.text
    address = next(part for part in page.text.split('href="') if f"before={ids[1]}" in part)
    page = viewer.get(address.partition('"')[0].replace("&amp;", "&"))
    assert str(ids[0]) in page.text
    assert str(ids[2]) not in page.text
    assert "Back to the newest" in words(page)


def test_the_csv_holds_every_row_and_no_formula(desk, monkeypatch):
    monkeypatch.setattr("giftpad.portals.issuer.payment_lists.CSV_PAGE", 2)
    (serial,) = desk.coupons(1)
    for amount in (1, 2, 3):
        desk.pay(serial, amount)
    rename_shop(desk, '=HYPERLINK("http://evil.example")')
    answer = desk.person("viewer").get(f"/desk/payments/all.csv?serial={serial}")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert rows[0][:4] == ["Receipt number", "Day and time", "Shop number", "Member shop"]
    assert [row[6] for row in rows[1:]] == ["3", "2", "1"]
    assert {row[3] for row in rows[1:]} == {'\'=HYPERLINK("http://evil.example")'}
    assert {row[5] for row in rows[1:]} == {serial}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[1]) for row in rows[1:]), rows


def test_names_that_are_markup_are_shown_as_text(desk):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    rename_shop(desk, "<img src=x onerror=alert(1)>{0}")
    viewer = desk.person("viewer")
    for path in ("/desk/payments", f"/desk/payments/{paid.id}", f"/desk/coupons/{serial}"):
        page = viewer.get(path)
        assert "<img src=x" not in page.text, path
        assert "&lt;img src=x onerror=alert(1)&gt;{0}" in page.text, path


def test_a_refund_is_asked_on_its_own_page_and_made_once(desk):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    officer = desk.person("support")
    address = f"/desk/payments/{paid.id}/refund"
    page = officer.get(address)
    assert "Can still be given back ¥300" in words(page)
    form = WRONG | {"amount": "１００円", "words": "<i>", "key": officer.key()}
    answers = [officer.post(address, form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    page = officer.follow(answers[1])
    said = words(page)
    assert "¥100 were given back." in said
    assert "Wrong amount: <i>" in said
    assert desk.coupon(serial).balance_minor == 800
    assert "Can still be given back ¥200" in said
    assert "Money given back −¥100" in said
    assert "later" not in said
    said = words(officer.get(f"/desk/coupons/{serial}"))
    assert "+¥100" in said
    assert "−¥300" in said
    assert make.differences(desk.site.scope) == []

    assert send(officer, address, WRONG | {"amount": "200"}).status_code == 303
    page = officer.get(address)
    assert "Nothing of this payment is left to give back." in words(page)
    again = officer.post(address, WRONG | {"amount": "1", "key": "0" * 32})
    assert again.status_code == 409
    assert desk.coupon(serial).balance_minor == 1000


@pytest.mark.parametrize("broken", [DatabaseAway, Busy, RuntimeError])
def test_a_page_that_breaks_after_a_refund_does_not_deny_it(desk, monkeypatch, broken):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    officer = desk.person("support")
    done = send(officer, f"/desk/payments/{paid.id}/refund", WRONG | {"amount": "100"})

    def fail(*_args):
        raise broken

    with monkeypatch.context() as patch:
        patch.setattr("giftpad.portals.issuer.payments.payments.get_payment", fail)
        page = officer.follow(done)
    assert page.status_code in (500, 503)
    assert "o money has moved" not in words(page)
    assert "were given back" not in words(page), "it is kept for a page that can show it"
    assert "¥100 were given back." in words(officer.follow(done))
    assert "were given back." not in words(officer.follow(done))
    assert desk.coupon(serial).balance_minor == 800


def test_a_key_that_was_used_for_another_amount_moves_nothing(desk):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    officer = desk.person("support")
    address = f"/desk/payments/{paid.id}/refund"
    officer.get(address)
    form = WRONG | {"key": officer.key()}
    assert officer.post(address, form | {"amount": "100"}).status_code == 303
    again = officer.post(address, form | {"amount": "150"})
    assert again.status_code == 422
    assert "It is not known whether money has moved." in words(again)
    assert desk.coupon(serial).balance_minor == 800


@pytest.mark.parametrize("amount", ["0", "301", "-1", "abc", "", "1.5"])
def test_an_amount_that_cannot_be_is_kept_and_moves_nothing(desk, amount):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    officer = desk.person("support")
    answer = send(officer, f"/desk/payments/{paid.id}/refund", WRONG | {"amount": amount})
    assert answer.status_code == 422
    assert f'value="{amount}"' in answer.text
    assert 'value="wrong amount" checked' in answer.text
    assert desk.coupon(serial).balance_minor == 700


def test_a_refund_says_which_coupon_holds_the_value_now(desk):
    first, other = desk.coupons(2)
    paid, stopped = desk.pay(first, 300), desk.pay(other, 300)
    with unit_of_work(desk.site.scope) as work:
        successor = coupons.get_batch(
            work, coupons.replace(work, first, reason="lost")
        ).serial_first
        coupons.block(work, other, reason="lost")
    desk.work_off()
    officer = desk.person("support")
    asked = officer.get(f"/desk/payments/{paid.id}/refund")
    assert f"The amount goes onto {successor} at once" in words(asked)
    form = WRONG | {"amount": "100", "key": officer.key()}
    answer = officer.follow(officer.post(f"/desk/payments/{paid.id}/refund", form))
    assert f"They are on coupon {successor}" in words(answer)
    officer.get(f"/desk/payments/{stopped.id}/refund")
    form = WRONG | {"amount": "100", "key": officer.key()}
    answer = officer.follow(officer.post(f"/desk/payments/{stopped.id}/refund", form))
    assert f"They are on coupon {other}, which cannot be spent now." in words(answer)


def test_nothing_is_put_back_on_an_expired_coupon(desk, fresh_clock):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    officer = desk.person("support")
    officer.get(f"/desk/payments/{paid.id}/refund")
    form = WRONG | {"amount": "100", "key": officer.key()}
    fresh_clock(timedelta(days=200))
    answer = officer.post(f"/desk/payments/{paid.id}/refund", form)
    assert answer.status_code == 422
    assert "No money has moved." in words(answer)


def test_another_town_sees_no_payment(desk, settings, tmp_path_factory):
    (serial,) = desk.coupons(1)
    paid = desk.pay(serial, 300)
    other = make_site(settings, tmp_path_factory.mktemp("elsewhere"), slug="hanamaru")
    owner = other.person("owner")
    for path in (f"/desk/payments/{paid.id}", f"/desk/payments/{paid.id}/refund"):
        assert owner.get(path).status_code == 404
    assert desk.coupon(serial).balance_minor == 700
