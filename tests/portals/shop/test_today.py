"""Today's list, and cancelling a payment of today."""

from __future__ import annotations

from datetime import timedelta

import pytest

from giftpad import payments
from giftpad.kernel.work import unit_of_work


@pytest.fixture
def paid(till):
    """One payment of 300 yen."""
    address = till.read(till.coupons[0][0])
    till.clerk.get(f"{address}?amount=300")
    till.pay(address, 300)
    (payment,) = till.payments()
    return payment


def cancel(till, payment, **fields):
    address = f"/shop/payments/{payment.id}/cancel"
    till.clerk.get(address)
    form = {"reason": "wrong amount", "key": till.clerk.key()} | fields
    return till.clerk.post(address, form)


def test_today_lists_what_was_taken_with_its_total(till, paid):
    answer = till.clerk.get("/shop/today")
    assert payments.receipt_number(paid.id) in answer.text
    assert f"/shop/payments/{paid.id}/cancel" in answer.text
    yesterday = till.clerk.get("/shop/today?day=2026-01-02")
    assert payments.receipt_number(paid.id) not in yesterday.text


@pytest.mark.parametrize("day", ["x", "9999-12-31", "0001-01-01", "2026-02-30"])
def test_any_day_may_be_asked_for(till, day):
    assert till.clerk.get(f"/shop/today?day={day}").status_code == 200


def test_a_cancelled_payment_is_back_on_the_coupon(till, paid):
    answer = cancel(till, paid)
    assert answer.status_code == 303
    done = till.clerk.follow(answer)
    assert 'data-kind="success"' in done.text
    assert till.balance() == 1000
    with unit_of_work(till.site.scope) as work:
        assert payments.get_payment(work, paid.id).state == "voided"
    assert "data-void" in till.clerk.get("/shop/today").text


def test_cancelling_twice_is_once(till, paid):
    address = f"/shop/payments/{paid.id}/cancel"
    till.clerk.get(address)
    form = {"reason": "wrong amount", "key": till.clerk.key()}
    assert till.clerk.post(address, form).status_code == 303
    assert till.clerk.post(address, form).status_code == 303
    again = till.clerk.post(address, form | {"key": "0" * 32})
    assert again.status_code == 409
    assert till.balance() == 1000


def test_a_reason_is_asked_for(till, paid):
    answer = cancel(till, paid, reason="")
    assert answer.status_code == 422
    assert till.balance() == 700


def test_looking_at_the_page_cancels_nothing(till, paid):
    till.clerk.get(f"/shop/payments/{paid.id}/cancel?reason=amount")
    assert till.balance() == 700


def test_the_next_day_the_office_does_it(till, paid, fresh_clock):
    fresh_clock(timedelta(days=1))
    address = f"/shop/payments/{paid.id}/cancel"
    page = till.clerk.get(address)
    assert 'name="reason"' not in page.text
    assert payments.receipt_number(paid.id) in page.text
    assert 'href="tel:' in page.text
    late = till.clerk.post(address, {"reason": "wrong amount", "key": "1" * 32})
    assert late.status_code == 422
    assert till.balance() == 700


def test_what_was_given_back_in_part_is_for_the_office(till, paid):
    with unit_of_work(till.site.scope) as work:
        payments.refund(work, paid.id, 100)
    page = till.clerk.get(f"/shop/payments/{paid.id}/cancel")
    assert 'name="reason"' not in page.text
    assert till.balance() == 800
