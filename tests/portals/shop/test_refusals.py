"""Every refusal a shop meets has its screen, its next step, and says that no money moved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from giftpad import coupons, payments, shops
from giftpad.guard import TooManyFailures
from giftpad.kernel import codes
from giftpad.kernel.work import unit_of_work
from giftpad.portals.shop.refusals import refusal_of
from tests.make_pages import FAR_SHOP, FIRST_SHOP
from tests.portals.shop.till import code_of, outcome

CALL = 'href="tel:'
READ_ANOTHER = 'href="/shop"'
TYPE_IT = 'id="code"'


def refused(answer, status: int, code: str, step: str) -> None:
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert outcome(answer) == "refused"
    assert 'role="alert"' in answer.text
    assert step in answer.text


def serial_of(till, coupon: int = 0) -> str:
    with unit_of_work(till.site.scope) as work:
        return coupons.find_coupon_by_code(work, till.coupons[coupon][0])


def test_an_unknown_and_a_forged_code_look_the_same(till):
    qr = till.coupons[0][0]
    forged = qr[:-1] + ("0" if qr[-1] != "0" else "1")
    unknown = codes.build_typed(b"k" * 32, 5)
    texts = []
    for code in (forged, unknown):
        answer = till.send(code)
        refused(answer, 404, "instrument.not_found", TYPE_IT)
        texts.append(answer.text.replace(till.clerk.csrf, ""))
    assert len(texts[0]) == len(texts[1])


def test_a_slip_of_the_keyboard_is_told_and_what_was_typed_is_kept(till):
    typed = till.coupons[0][1]
    slip = typed[:-1] + ("0" if typed[-1] != "0" else "1")
    answer = till.send(slip)
    refused(answer, 422, "instrument.slip", TYPE_IT)
    assert f'value="{slip}"' in answer.text


@pytest.mark.parametrize("text", ["https://example.com/menu", "HTTP://LOCALHOST:8000/Q/ABC"])
def test_a_foreign_qr_is_told(till, text):
    refused(till.send(text), 404, "instrument.foreign", READ_ANOTHER)


def test_a_printed_serial_never_pays(paper_till):
    refused(paper_till.send(serial_of(paper_till)), 422, "instrument.serial", TYPE_IT)


@pytest.mark.parametrize(
    ("typed", "code", "sentence"),
    [
        ("KO-0000001", "instrument.serial", "That is the No. of the coupon."),
        ("ｋｏ 1", "instrument.serial", "That is the No. of the coupon."),
        (" ", "instrument.empty", "Type the payment number."),
        ("12345", "instrument.slip", "Please check it again."),
    ],
)
def test_what_can_be_no_payment_number_is_told_apart_and_is_no_guess(
    till, monkeypatch, typed, code, sentence
):
    def guess(*_):
        raise AssertionError(typed)

    monkeypatch.setattr("giftpad.portals.shop.till.payments.look_up", guess)
    till.clerk.get("/shop")
    answer = till.clerk.post("/shop/read", {"code": typed}, headers={"Accept-Language": "en"})
    refused(answer, 422, code, TYPE_IT)
    assert sentence in answer.text
    assert "No money has moved." in answer.text


def test_a_stopped_coupon_says_whom_to_call(paper_till):
    address = paper_till.read(paper_till.coupons[0][0])
    with unit_of_work(paper_till.site.scope) as work:
        coupons.block(work, serial_of(paper_till), reason="lost")
    refused(paper_till.send(paper_till.coupons[0][0]), 422, "instrument.blocked", CALL)
    refused(paper_till.clerk.get(address), 422, "instrument.blocked", CALL)
    refused(paper_till.pay(address, 300), 422, "instrument.blocked", CALL)
    assert paper_till.payments() == []


def test_a_replaced_coupon(paper_till):
    with unit_of_work(paper_till.site.scope) as work:
        coupons.replace(work, serial_of(paper_till), reason="torn")
    refused(paper_till.send(paper_till.coupons[0][0]), 422, "instrument.replaced", READ_ANOTHER)


def test_an_expired_coupon_says_until_when_it_was_good(till, fresh_clock):
    address = till.read(till.coupons[0][0])
    fresh_clock(timedelta(days=200))
    refused(till.pay(address, 300), 422, "instrument.expired", READ_ANOTHER)


def test_a_coupon_that_is_not_released(till):
    ((qr, _),) = till.site.paper(1, release=False)
    refused(till.send(qr), 422, "instrument.not_active", READ_ANOTHER)


def test_a_shop_of_another_area(till):
    far = till.site.person("clerk", shop=FAR_SHOP)
    answer = till.send(till.coupons[0][0], far)
    refused(answer, 422, "payment.not_accepted_here", READ_ANOTHER)


def test_a_suspended_shop_may_call(till):
    address = till.read(till.coupons[0][0])
    with unit_of_work(till.site.scope) as work:
        shops.set_accepting(work, till.site.shop_id(FIRST_SHOP), accepting=False)
    refused(till.pay(address, 300), 422, "payment.shop_suspended", CALL)
    refused(till.send(till.coupons[0][0]), 422, "payment.shop_suspended", CALL)


def test_not_enough_left_is_told_before_the_customer_sees_it(till):
    address = till.read(till.coupons[0][0])
    answer = till.clerk.get(f"{address}?amount=1380")
    refused(answer, 422, "payment.insufficient_balance", "amount=1000")


def test_a_used_up_coupon(till):
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=1000")
    till.pay(address, 1000)
    answer = till.send(till.coupons[0][0])
    refused(answer, 422, "payment.insufficient_balance", READ_ANOTHER)
    assert "amount=" not in answer.text


def test_the_ceiling_is_offered(till):
    address = till.read(till.coupons[0][0])
    answer = till.pay(address, 5001)
    refused(answer, 422, "payment.over_ceiling", "amount=1000")


def test_too_many_wrong_codes(till, monkeypatch):
    def barred(*_):
        raise TooManyFailures(retry_after_s=60)

    monkeypatch.setattr("giftpad.portals.shop.till.payments.look_up", barred)
    answer = till.send(till.coupons[0][0])
    refused(answer, 429, "limit.failed_codes", READ_ANOTHER)


def test_no_refusal_of_the_domain_is_without_words():
    for code in payments.REFUSALS:
        told = refusal_of(code, {"balance_minor": 5, "first_day": "2027-01-01"})
        assert told.heading != "Payment refused", code
