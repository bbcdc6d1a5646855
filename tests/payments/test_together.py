"""Payments that wait go together, in one transaction, and each fares as it would alone."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from giftpad import ledger, payments
from giftpad.guard import KeyReused
from giftpad.kernel.convoy import TOGETHER_MAX
from giftpad.kernel.db import Busy, database
from giftpad.kernel.ids import new_id
from giftpad.payments.commands.pay import CONVOY
from tests import make
from tests.waiting import PATIENCE_S, wait_for

HOLD = "SELECT 1 FROM ledger_accounts WHERE tenant_id = %s AND id = %s FOR UPDATE"


@pytest.fixture
def town(house):
    town = make.make_town()
    make.issue(town, TOGETHER_MAX + 2)
    return town


@pytest.fixture
def pool():
    with ThreadPoolExecutor(TOGETHER_MAX + 4) as threads:
        yield threads


@contextmanager
def held(superuser_url, town, coupon):
    """Hold a coupon's account, as another transaction would."""
    with psycopg.connect(superuser_url) as other:
        other.execute(HOLD, (town.scope.tenant_id, coupon.account_id))
        yield
        other.rollback()


@pytest.fixture
def together(pool, town, monkeypatch):
    """Send orders so that they wait for one journey, then let them go; return what each got.

    A payment of the town's first coupon goes ahead, and starts only when all are there.
    """
    pay_module = sys.modules["giftpad.payments.commands.pay"]  # its package has a verb of that name
    call, ahead = pay_module._call_pay_many, make.pay_order(town, 1)
    all_there = threading.Event()

    def hold_up(orders):
        if orders[0]["key"] == ahead.key:
            assert all_there.wait(PATIENCE_S)
        return call(orders)

    def send(orders):
        first = pool.submit(payments.pay, town.scope, ahead)
        wait_for(lambda: CONVOY.count_waiting(town.scope.tenant_id) is not None)
        coming = []
        for order in orders:
            there = CONVOY.count_waiting(town.scope.tenant_id)
            coming.append(pool.submit(payments.pay, town.scope, order))
            wait_for(lambda there=there: CONVOY.count_waiting(town.scope.tenant_id) > there)
        all_there.set()
        first.result(PATIENCE_S)
        return coming

    monkeypatch.setattr(pay_module, "_call_pay_many", hold_up)
    return send


def order_of(town, number, amount_minor=100, **changes):
    return make.pay_order(town, amount_minor, code=town.coupons[number].qr, **changes)


def test_what_waits_is_paid_in_one_transaction(together, town):
    orders = [order_of(town, n, 100 + n) for n in range(1, 8)]
    paid = [each.result(PATIENCE_S) for each in together(orders)]
    assert [each.amount_minor for each in paid] == [100 + n for n in range(1, 8)]
    assert [each.balance_minor for each in paid] == [900 - n for n in range(1, 8)]
    assert len({each.at for each in paid}) == 1  # the instant of the one transaction
    assert len({each.id for each in paid}) == 7
    for number in range(1, 8):
        assert make.balance_minor(town, town.coupons[number]) == 900 - number
        assert payments.find_paid(town.scope, orders[number - 1].key).id == paid[number - 1].id
    assert make.differences(town.scope) == []


def test_each_fares_as_it_would_alone(together, town):
    twice = order_of(town, 2, 300)
    orders = [
        order_of(town, 1, 600),
        order_of(town, 1, 600),  # of the same coupon, which has 400 left by then
        twice,
        twice,
        replace(twice, amount_minor=1, request_hash=b"another"),
        order_of(town, 3, 2000),
        order_of(town, 4, 100, shop_id=new_id()),
        order_of(town, 5, 100),
    ]
    got = together(orders)
    assert got[0].result(PATIENCE_S).balance_minor == 400
    with pytest.raises(ledger.InsufficientBalance) as short:
        got[1].result(PATIENCE_S)
    assert short.value.params["balance_minor"] == 400
    assert got[2].result(PATIENCE_S) == got[3].result(PATIENCE_S)
    for place, refusal in ((4, KeyReused), (5, ledger.InsufficientBalance)):
        with pytest.raises(refusal):
            got[place].result(PATIENCE_S)
    with pytest.raises(payments.errors.UnknownShop):
        got[6].result(PATIENCE_S)
    assert got[7].result(PATIENCE_S).balance_minor == 900
    balances = [make.balance_minor(town, town.coupons[n]) for n in range(1, 6)]
    assert balances == [400, 700, 1000, 1000, 900]
    assert make.differences(town.scope) == []


def test_one_that_is_held_up_leaves_the_others(together, town, superuser_url):
    orders = [order_of(town, n) for n in range(1, 6)]
    with held(superuser_url, town, town.coupons[3]):
        got = together(orders)
        with pytest.raises(Busy):
            got[2].result(PATIENCE_S)
        paid = [got[n].result(PATIENCE_S) for n in (0, 1, 3, 4)]
    assert [each.balance_minor for each in paid] == [900] * 4
    assert make.balance_minor(town, town.coupons[3]) == 1000
    assert payments.pay(town.scope, orders[2]).balance_minor == 900
    assert make.differences(town.scope) == []


def test_another_town_never_waits(pool, town, superuser_url):
    other = make.make_town()
    make.issue(other, 1)
    with held(superuser_url, town, town.coupons[1]):
        blocked = pool.submit(payments.pay, town.scope, order_of(town, 1))
        assert payments.pay(other.scope, make.pay_order(other, 100)).balance_minor == 900
        with pytest.raises(Busy):
            blocked.result(PATIENCE_S)


def test_what_was_committed_without_an_answer_is_paid_once(together, town, monkeypatch):
    pay_module = sys.modules["giftpad.payments.commands.pay"]
    call = pay_module._call_pay_many

    def lose_the_answer(orders):
        rows = call(orders)
        if len(orders) > 1:
            raise psycopg.errors.InternalError
        return rows

    monkeypatch.setattr(pay_module, "_call_pay_many", lose_the_answer)
    orders = [order_of(town, n) for n in range(1, 5)]
    paid = [each.result(PATIENCE_S) for each in together(orders)]
    assert [each.balance_minor for each in paid] == [900] * 4
    assert [make.balance_minor(town, town.coupons[n]) for n in range(1, 5)] == [900] * 4
    assert make.differences(town.scope) == []


def test_more_than_go_together_go_one_after_the_other(together, town):
    orders = [order_of(town, 1 + n % (TOGETHER_MAX + 1)) for n in range(TOGETHER_MAX + 1)]
    paid = [each.result(PATIENCE_S) for each in together(orders)]
    assert len({each.at for each in paid}) == 2
    assert make.differences(town.scope) == []


def test_look_ups_that_wait_are_answered_each_for_itself(pool, town, superuser_url):
    balances = {}
    for number, coupon in enumerate(town.coupons):
        balances[coupon.qr] = 1000 - number
        if number:
            payments.pay(town.scope, order_of(town, number, number))

    def look(number):
        coupon = town.coupons[number % len(town.coupons)]
        is_outside = number % 5 == 0
        shop_id = town.outside_shop_id if is_outside else town.shop_id
        looked = payments.look_up(town.scope, coupon.qr, shop_id)
        return (looked.locator, looked.balance_minor, looked.reason is not None) == (
            coupon.locator,
            balances[coupon.qr],
            is_outside,
        )

    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        calls = "SELECT sum(calls) FROM pg_stat_user_functions WHERE funcname = %s"
        superuser.execute("ALTER ROLE giftpad_app SET track_functions = 'pl'")
        try:
            database().connections.forget_idle()
            assert all(pool.map(look, range(400)))
            database().connections.forget_idle()
            wait_for(lambda: superuser.execute(calls, ["payments_look_up_many"]).fetchone()[0])
        finally:
            superuser.execute("ALTER ROLE giftpad_app RESET track_functions")
