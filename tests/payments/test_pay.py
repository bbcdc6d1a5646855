"""Paying through the package's door: what moves, what is refused, what a repeat gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from giftpad import events, guard, ledger, payments
from giftpad.kernel import codes
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, unit_of_work
from tests import make
from tests.pump import pump


@pytest.fixture
def town(house):
    town = make.make_town()
    make.issue(town)
    return town


def test_a_payment_moves_exactly_its_amount(town):
    paid = payments.pay(town.scope, make.pay_order(town, 350))
    assert (paid.amount_minor, paid.balance_minor) == (350, 650)
    assert make.balance_minor(town, town.coupons[0]) == 650
    assert make.differences(town.scope) == []
    with unit_of_work(town.scope) as work:
        sums = ledger.sum_by_kind(work, town.programme_id)
    assert sums == {"funding": -1000, "breakage": 0, "coupon": 650, "shop_payable": 350}


def test_the_typed_code_opens_what_the_qr_opens(town):
    typed = town.coupons[0].typed.lower().replace("-", " ")
    paid = payments.pay(town.scope, make.pay_order(town, 1, code=typed))
    assert paid.balance_minor == 999


def test_a_repeat_gets_the_first_answer_and_moves_nothing(town):
    order = make.pay_order(town, 700)
    first = payments.pay(town.scope, order)
    assert payments.pay(town.scope, order) == first
    assert make.balance_minor(town, town.coupons[0]) == 300


def test_a_repeat_after_the_coupon_was_blocked_gets_the_first_answer(town):
    order = make.pay_order(town, 700)
    first = payments.pay(town.scope, order)
    with unit_of_work(town.scope) as work:
        payments.block_instruments(work, town.coupons[0].locator, town.coupons[0].locator)
    assert payments.pay(town.scope, order) == first


def test_a_key_with_another_request_is_refused(town):
    order = make.pay_order(town, 700)
    payments.pay(town.scope, order)
    with pytest.raises(guard.KeyReused):
        payments.pay(town.scope, replace(order, amount_minor=1, request_hash=b"other"))
    assert make.balance_minor(town, town.coupons[0]) == 300


def test_a_refusal_is_judged_afresh(town):
    order = make.pay_order(town, 1001)
    with pytest.raises(ledger.InsufficientBalance):
        payments.pay(town.scope, order)
    with unit_of_work(town.scope) as work:
        payments.block_instruments(work, town.coupons[0].locator, town.coupons[0].locator)
    with pytest.raises(payments.REFUSALS["instrument.blocked"]):
        payments.pay(town.scope, order)


REFUSED = {
    "instrument.not_found": lambda town: {"code": forge(town.coupons[0].qr)},
    "payment.wrong_programme": lambda town: {"shop_id": town.stranger_shop_id},
    "payment.not_accepted_here": lambda town: {"shop_id": town.outside_shop_id},
    "payment.over_ceiling": lambda _: {"amount_minor": 5001},
    "payment.insufficient_balance": lambda _: {"amount_minor": 1001},
    "payment.unknown_shop": lambda _: {"shop_id": new_id()},
}


def forge(qr: str) -> str:
    last = codes.ALPHABET[(codes.ALPHABET.index(qr[-1]) + 1) % 32]
    return qr[:-1] + last


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_has_its_code_and_moves_nothing(town, code):
    order = replace(make.pay_order(town, 10), **REFUSED[code](town))
    with pytest.raises(payments.REFUSALS[code]):
        payments.pay(town.scope, order)
    assert make.balance_minor(town, town.coupons[0]) == 1000
    assert make.differences(town.scope) == []


def test_another_tenants_coupon_is_unknown(town):
    other = make.make_town()
    make.issue(other)
    for code in (other.coupons[0].qr, other.coupons[0].typed):
        with pytest.raises(payments.InstrumentNotFound):
            payments.pay(town.scope, make.pay_order(town, 1, code=code))
    assert make.balance_minor(other, other.coupons[0]) == 1000


def test_an_unreleased_coupon_cannot_be_used_yet(town):
    make.issue(town, released=False)
    with pytest.raises(payments.REFUSALS["instrument.not_active"]):
        payments.pay(town.scope, make.pay_order(town, 1, code=town.coupons[1].qr))


def test_a_coupon_works_to_the_end_of_its_last_day_and_not_after(town, fresh_clock):
    fresh_clock(timedelta(days=90) - timedelta(minutes=1))
    assert payments.pay(town.scope, make.pay_order(town, 1)).balance_minor == 999
    fresh_clock(timedelta(days=90, minutes=1))
    with pytest.raises(payments.REFUSALS["instrument.expired"]):
        payments.pay(town.scope, make.pay_order(town, 1))


def test_a_caller_bound_to_a_shop_cannot_take_for_another(town):
    bound = Actor(kind="client", id="till", client_id="till", shop_id=town.outside_shop_id)
    with pytest.raises(payments.errors.OtherShop):
        payments.pay(replace(town.scope, actor=bound), make.pay_order(town, 1))


def test_fifty_at_once_take_what_is_there_and_no_more(town):
    orders = [make.pay_order(town, 100) for _ in range(50)]

    def attempt(order):
        for _ in range(20):
            try:
                return payments.pay(town.scope, order).balance_minor
            except guard.StillRunning:
                continue
            except ledger.InsufficientBalance:
                return None
        raise AssertionError

    with ThreadPoolExecutor(16) as pool:
        balances = [b for b in pool.map(attempt, orders) if b is not None]
    assert sorted(balances) == list(range(0, 1000, 100))
    assert make.differences(town.scope) == []


def test_a_void_gives_all_back_on_the_same_day_only(town, fresh_clock):
    paid = payments.pay(town.scope, make.pay_order(town, 400))
    later = payments.pay(town.scope, make.pay_order(town, 10))
    with unit_of_work(town.scope) as work:
        given = payments.void(work, paid.id)
    assert (given.state, given.amount_minor, given.balance_minor) == ("voided", 400, 990)
    with pytest.raises(payments.errors.PaymentWrongState), unit_of_work(town.scope) as work:
        payments.void(work, paid.id)
    fresh_clock(timedelta(days=1))
    with pytest.raises(payments.errors.VoidTooLate), unit_of_work(town.scope) as work:
        payments.void(work, later.id)
    assert make.differences(town.scope) == []


def test_refunds_add_up_to_the_payment_and_no_further(town):
    paid = payments.pay(town.scope, make.pay_order(town, 400))
    with unit_of_work(town.scope) as work:
        assert payments.refund(work, paid.id, 150).state == "partly_refunded"
    with pytest.raises(payments.errors.RefundTooMuch), unit_of_work(town.scope) as work:
        payments.refund(work, paid.id, 251)
    with unit_of_work(town.scope) as work:
        assert payments.refund(work, paid.id, None).state == "refunded"
    with pytest.raises(payments.errors.PaymentWrongState), unit_of_work(town.scope) as work:
        payments.refund(work, paid.id, 1)
    assert make.balance_minor(town, town.coupons[0]) == 1000
    assert make.differences(town.scope) == []


def test_expired_value_does_not_come_back(town, fresh_clock):
    paid = payments.pay(town.scope, make.pay_order(town, 400))
    fresh_clock(timedelta(days=91))
    with pytest.raises(payments.errors.RefundAfterExpiry), unit_of_work(town.scope) as work:
        payments.refund(work, paid.id, 100)


def test_a_replaced_coupon_is_dead_and_its_balance_is_on_the_new_one(town):
    payments.pay(town.scope, make.pay_order(town, 400))
    new_terms = make.issue(town)
    new_locator = 10_000
    with unit_of_work(town.scope) as work:
        alias = payments.Alias(locator=new_locator, code_hash=b"x" * 16, terms_id=new_terms)
        payments.replace_instrument(work, town.coupons[0].locator, alias)
    with pytest.raises(payments.REFUSALS["instrument.replaced"]):
        payments.pay(town.scope, make.pay_order(town, 1))
    with unit_of_work(town.scope) as work:
        (view,) = payments.get_instruments(work, new_locator, new_locator)
    assert (view.account_id, view.balance_minor) == (town.coupons[0].account_id, 600)


def test_the_history_follows_and_the_list_does_not_wait_for_it(town, settings):
    paid = payments.pay(town.scope, make.pay_order(town, 400))
    wanted = payments.PaymentFilter(account_id=town.coupons[0].account_id)
    for _ in range(2):
        with unit_of_work(town.scope) as work:
            assert [p.id for p in payments.list_payments(work, wanted)] == [paid.id]
            elsewhere = payments.PaymentFilter(shop_id=town.outside_shop_id)
            assert payments.list_payments(work, elsewhere) == []
        pump(settings)


def test_a_list_stays_whole_however_long_the_read_side_lags(town, settings, fresh_clock):
    paid = payments.pay(town.scope, make.pay_order(town, 400))
    wanted = payments.PaymentFilter(shop_id=town.shop_id)
    fresh_clock(timedelta(minutes=10))
    with unit_of_work(town.scope) as work:
        assert [p.id for p in payments.list_payments(work, wanted)] == [paid.id]
    pump(settings)
    with unit_of_work(town.scope) as work:
        assert [p.id for p in payments.list_payments(work, wanted)] == [paid.id]


def test_a_payment_that_the_read_side_has_given_up_on_stays_in_every_list(
    town, settings, fresh_clock
):
    paid = payments.pay(town.scope, make.pay_order(town, 400))
    with unit_of_work(town.scope) as work:
        dead = (
            "WITH closed AS (UPDATE event_outbox SET done_at = now() WHERE object_id = :id"
            " RETURNING tenant_id, id) INSERT INTO event_inbox SELECT tenant_id, id, handler,"
            " 'dead', now() FROM closed, (VALUES ('payments.note_captured'),"
            " ('reporting.note_paid')) AS listeners (handler)"
        )
        work.session.execute(sa.text(dead), {"id": paid.id})
    fresh_clock(timedelta(minutes=10))

    def shown():
        wanted = payments.PaymentFilter(shop_id=town.shop_id)
        with unit_of_work(town.scope) as work:
            listed = [row.id for row in payments.list_payments(work, wanted)]
            moved = payments.list_movements(work, town.coupons[0].account_id)
            return listed, payments.sum_payments(work, wanted).count, [m.kind for m in moved]

    assert shown() == ([paid.id], 1, ["pay"])
    with unit_of_work(town.scope) as work:
        assert events.redrive(work) == 2
    pump(settings)
    assert shown() == ([paid.id], 1, ["pay"])


def test_connections_of_threads_that_end_serve_the_next_ones(town, database):
    def pay(_):
        return payments.pay(town.scope, make.pay_order(town, 1)).id

    for _ in range(6):
        with ThreadPoolExecutor(3) as pool:
            assert len(set(pool.map(pay, range(3)))) == 3
    with unit_of_work(town.scope) as work:
        count = work.session.execute(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND query LIKE '%payments_pay%' AND pid <> pg_backend_pid()"
            )
        ).scalar_one()
    assert 1 <= count <= 3


def test_what_has_ended_becomes_breakage_once(town, fresh_clock):
    terms_id = make.issue(town, 3)
    mine = town.coupons[1:]
    payments.pay(town.scope, make.pay_order(town, 1000, code=mine[0].qr))
    fresh_clock(timedelta(days=91))
    first, last = mine[0].locator - 1, mine[-1].locator
    with unit_of_work(town.scope) as work:
        drained = payments.drain_terms(work, terms_id, first, last_locator=last, limit=100)
        again = payments.drain_terms(work, terms_id, first, last_locator=last, limit=100)
        sums = ledger.sum_by_kind(work, town.programme_id)
    assert (drained.count, drained.total_minor) == (2, 2000)
    assert (again.count, again.total_minor) == (0, 0)
    assert sums["breakage"] == 2000
    assert make.differences(town.scope) == []
