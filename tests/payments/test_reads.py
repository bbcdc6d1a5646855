"""What pages ask of payments: by a proven locator, by a key, by a holder's code, in sums."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from giftpad import guard, payments, tenancy
from giftpad.kernel import codes
from giftpad.kernel.db import database
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, unit_of_work
from tests import make
from tests.pump import pump


@pytest.fixture
def town(house):
    town = make.make_town()
    make.issue(town, 2)
    return town


@pytest.fixture
def asked(house):
    """The statements, with their values, that go to the database by the engine."""
    statements = []

    def note(_connection, _cursor, statement, values, _context, _many):
        statements.append((statement, values))

    engine = database().engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def forge(text: str) -> str:
    last = codes.ALPHABET[(codes.ALPHABET.index(text[-1]) + 1) % 32]
    return text[:-1] + last


def test_a_receipt_number_is_short_and_stays():
    payment_id = new_id()
    number = payments.receipt_number(payment_id)
    assert len(number) == 6
    assert number == payments.receipt_number(UUID(str(payment_id)))
    assert len({payments.receipt_number(new_id()) for _ in range(500)}) > 490


def test_a_proven_locator_is_looked_up_and_paid_like_its_code(town):
    first = payments.look_up(town.scope, town.coupons[0].qr, town.shop_id)
    again = payments.look_up_again(town.scope, first.locator, town.shop_id)
    assert again == first
    assert again.account_id == town.coupons[0].account_id
    order = make.pay_order(town, 300, code="", locator=first.locator)
    assert payments.pay(town.scope, order).balance_minor == 700
    with pytest.raises(payments.InstrumentNotFound):
        payments.look_up_again(town.scope, 31**5, town.shop_id)
    bound = Actor(kind="person", id="p", client_id="person:p", shop_id=town.outside_shop_id)
    with pytest.raises(payments.errors.OtherShop):
        payments.look_up_again(replace(town.scope, actor=bound), first.locator, town.shop_id)


def test_an_order_names_a_code_or_a_locator(town):
    for changes in ({"code": ""}, {"locator": town.coupons[0].locator}):
        with pytest.raises(AssertionError):
            payments.pay(town.scope, make.pay_order(town, 1, **changes))


def test_a_payment_is_found_again_by_its_callers_key_only(town):
    order = make.pay_order(town, 300)
    assert payments.find_paid(town.scope, order.key) is None
    paid = payments.pay(town.scope, order)
    found = payments.find_paid(town.scope, order.key)
    assert found is not None
    assert (found.id, found.state) == (paid.id, "captured")
    stranger = replace(town.scope, actor=Actor(kind="client", id="b", client_id="b"))
    assert payments.find_paid(stranger, order.key) is None


def test_a_refused_payment_leaves_nothing_to_find(town):
    order = make.pay_order(town, 1001)
    with pytest.raises(payments.REFUSALS["payment.insufficient_balance"]):
        payments.pay(town.scope, order)
    assert payments.find_paid(town.scope, order.key) is None


def test_a_holder_finds_the_coupon_by_each_of_its_codes(town):
    coupon = town.coupons[0]
    tail = coupon.qr[-codes.QR_TAIL_LENGTH :]
    for code in (coupon.qr, tail, coupon.typed, coupon.typed.lower().replace("-", " ")):
        found = payments.find_instrument(town.scope, code, guess_key="holder")
        assert (found.locator, found.balance_minor) == (coupon.locator, 1000)
    with unit_of_work(town.scope) as work:
        assert payments.get_instrument(work, coupon.locator) == found
        with pytest.raises(payments.InstrumentNotFound):
            payments.get_instrument(work, 31**5)


def test_wrong_codes_are_told_alike_and_guesses_end(town):
    other = make.make_town()
    make.issue(other)
    wrong = [
        forge(town.coupons[0].qr),
        forge(town.coupons[0].qr)[-codes.QR_TAIL_LENGTH :],
        other.coupons[0].qr,
        other.coupons[0].typed,
        codes.build_typed(b"none", 5),
        "HTTP://EVIL.EXAMPLE/Q/" + town.coupons[0].qr[-codes.QR_TAIL_LENGTH :],
        "rubbish",
    ]
    for code in wrong:
        with pytest.raises(payments.InstrumentNotFound) as refused:
            payments.find_instrument(town.scope, code, guess_key=new_id().hex)
        assert refused.value.params == {}
    key = new_id().hex
    guard.allow_failures(key, 3)
    for _ in range(3):
        with pytest.raises(payments.InstrumentNotFound):
            payments.find_instrument(town.scope, wrong[4], guess_key=key)
    with pytest.raises(guard.TooManyFailures):
        payments.find_instrument(town.scope, wrong[4], guess_key=key)
    with pytest.raises(guard.TooManyFailures):
        payments.find_instrument(town.scope, town.coupons[0].qr, guess_key=key)
    assert payments.find_instrument(town.scope, town.coupons[0].qr, guess_key="another")


def test_a_shop_does_not_take_a_tail_for_a_code(town):
    with pytest.raises(payments.InstrumentNotFound):
        payments.look_up(town.scope, town.coupons[0].qr[-codes.QR_TAIL_LENGTH :], town.shop_id)


def test_a_genuine_qr_tells_its_tenant_and_a_forged_one_asks_nothing(town, asked):
    qr = town.coupons[0].qr
    tail = qr[-codes.QR_TAIL_LENGTH :]
    for text in (qr, tail):
        found = payments.find_qr_tenant(text)
        assert found is not None
        assert found.id == town.tenant_id
    asked.clear()
    for text in (forge(qr), forge(tail), "", "/Q/", tail[:-1], tail.lower(), town.coupons[0].typed):
        assert payments.find_qr_tenant(text) is None
    assert asked == []
    assert payments.find_qr_tenant("HTTP://EVIL.EXAMPLE/Q/" + tail) is None


def test_an_old_printed_address_still_tells_the_tenant(town):
    tenancy.remember_address("HTTPS://OLD.EXAMPLE")
    tail = town.coupons[0].qr[-codes.QR_TAIL_LENGTH :]
    assert payments.find_qr_tenant("HTTPS://OLD.EXAMPLE/Q/" + tail) is not None


def undo_some(town):
    """Pay four times; void the second, refund a part of the third; return the payments' ids."""
    ids = [payments.pay(town.scope, make.pay_order(town, n)).id for n in (100, 50, 200, 30)]
    with unit_of_work(town.scope) as work:
        payments.void(work, ids[1], reason="wrong amount")
    with unit_of_work(town.scope) as work:
        payments.refund(work, ids[2], 80, reason="returned")
    return ids


def movements(town):
    with unit_of_work(town.scope) as work:
        return payments.list_movements(work, town.coupons[0].account_id)


def test_movements_are_whole_before_and_after_the_read_side(town, settings, fresh_clock):
    ids = undo_some(town)
    expected = [
        ("refund", 80, 750, ids[2], "returned"),
        ("void", 50, 670, ids[1], "wrong amount"),
        ("pay", 30, 620, ids[3], ""),
        ("pay", 200, 650, ids[2], ""),
        ("pay", 50, 850, ids[1], ""),
        ("pay", 100, 900, ids[0], ""),
    ]

    def shown():
        return [
            (m.kind, m.amount_minor, m.balance_minor, m.payment_id, m.reason)
            for m in movements(town)
        ]

    assert shown() == expected
    fresh_clock(timedelta(minutes=10))
    assert shown() == expected
    pump(settings)
    assert shown() == expected
    with unit_of_work(town.scope) as work:
        assert len(payments.list_movements(work, town.coupons[0].account_id, 2)) == 2
        assert payments.list_movements(work, town.coupons[1].account_id) == []


def list_ids(town, **wanted):
    with unit_of_work(town.scope) as work:
        return [p.id for p in payments.list_payments(work, payments.PaymentFilter(**wanted))]


@pytest.mark.parametrize("by_shop", [True, False])
def test_a_list_is_narrowed_by_state_and_programme(town, settings, by_shop):
    ids = undo_some(town)
    place = {"shop_id": town.shop_id} if by_shop else {}
    for _ in range(2):
        assert list_ids(town, **place, state="voided") == [ids[1]]
        assert list_ids(town, **place, state="refunded") == [ids[2]]
        assert list_ids(town, **place, state="captured") == [ids[3], ids[0]]
        assert list_ids(town, **place, state="captured", limit=1) == [ids[3]]
        assert len(list_ids(town, **place, programme_id=town.programme_id)) == 4
        assert list_ids(town, **place, programme_id=new_id()) == []
        pump(settings)


def test_sums_agree_with_the_list_however_far_the_read_side_is(town, settings):
    undo_some(town)
    with unit_of_work(town.scope) as work:
        day = work.at - timedelta(hours=1)
    wanted = payments.PaymentFilter(shop_id=town.shop_id, since=day)
    expected = payments.Totals(
        count=4, voided_count=1, amount_minor=380, given_back_minor=130, net_minor=250
    )
    for _ in range(2):
        with unit_of_work(town.scope) as work:
            assert payments.sum_payments(work, wanted) == expected
        pump(settings)
    with unit_of_work(town.scope) as work:
        empty = payments.sum_payments(work, replace(wanted, shop_id=town.outside_shop_id))
    assert (empty.count, empty.net_minor) == (0, 0)
    bound = Actor(kind="person", id="p", client_id="person:p", shop_id=town.outside_shop_id)
    with unit_of_work(replace(town.scope, actor=bound)) as work:
        assert payments.sum_payments(work, wanted).count == 0


_LONG_PAST = """
    INSERT INTO payment_history
    SELECT %(tenant)s, gen_random_uuid(), gen_random_uuid(), 'pay', gen_random_uuid(),
        md5('shop' || n %% 50)::uuid, md5('programme' || n %% 50)::uuid, 1, 0, now()
    FROM generate_series(1, 5000) n;
    INSERT INTO payment_reversals
    SELECT %(tenant)s, gen_random_uuid(), gen_random_uuid(), (ARRAY['void', 'refund'])[1 + n %% 2],
        1, 0, gen_random_uuid(), '', '', now()
    FROM generate_series(1, 1000) n;
    ANALYZE payment_history, payment_reversals;
    SET LOCAL enable_seqscan = off;
    SELECT set_config('app.tenant_id', %(tenant)s, true);
    SET LOCAL ROLE giftpad_app;
"""


def plan_of(superuser_url, town, asked):
    """Return how the database goes about the last statement when a tenant has a long past.

    Nearly empty tables would leave the choice between two indexes to chance.  The past and what
    is known of it end with the transaction.
    """
    statement, values = asked[-1]
    with psycopg.connect(superuser_url, cursor_factory=psycopg.ClientCursor) as administrator:
        administrator.execute(_LONG_PAST, {"tenant": str(town.scope.tenant_id)})
        (plan,) = administrator.execute("EXPLAIN (FORMAT JSON) " + statement, values).fetchone()
        administrator.rollback()
    return json.dumps(plan)


def test_sums_of_a_shop_come_by_the_index_of_the_shop(town, asked, superuser_url):
    wanted = payments.PaymentFilter(shop_id=town.shop_id)
    with unit_of_work(town.scope) as work:
        payments.sum_payments(work, replace(wanted, since=work.at - timedelta(days=1)))
    shown = plan_of(superuser_url, town, asked)
    assert "payment_history_shop_idx" in shown
    assert "Seq Scan" not in shown


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"programme_id": new_id()}, "payment_history_programme_idx"),
        ({"programme_id": new_id(), "state": "captured"}, "payment_history_programme_idx"),
        ({"state": "voided"}, "payment_reversals_kind_idx"),
        ({"state": "refunded", "programme_id": new_id()}, "payment_reversals_kind_idx"),
    ],
)
def test_what_few_payments_share_is_found_by_an_index(town, asked, superuser_url, wanted, index):
    with unit_of_work(town.scope) as work:
        payments.list_payments(work, payments.PaymentFilter(**wanted))
    shown = plan_of(superuser_url, town, asked)
    assert index in shown
    assert "Seq Scan" not in shown


def test_an_old_month_is_not_looked_for_through_all_that_is_newer(town, asked, superuser_url):
    paid = payments.pay(town.scope, make.pay_order(town, 100))
    with unit_of_work(town.scope) as work:
        at = payments.get_payment(work, paid.id).at
        old = payments.PaymentFilter(until=at - timedelta(days=30))
        assert payments.list_payments(work, old) == []
    conditions = re.findall(r'"Index Cond": "([^"]*)"', plan_of(superuser_url, town, asked))
    assert any("id < " in condition for condition in conditions)
    assert list_ids(town, until=at) == []
    for until in (timedelta(microseconds=1), timedelta(days=365 * 3000)):
        assert list_ids(town, until=at + until) == [paid.id]


def test_what_was_given_back_is_narrowed_like_all_else(town):
    ids = undo_some(town)
    with unit_of_work(town.scope) as work:
        payments.refund(work, ids[2], 20)
        payments.refund(work, ids[3], 30)
        at = work.at
    assert list_ids(town, state="refunded") == [ids[3], ids[2]]
    assert list_ids(town, state="refunded", limit=1) == [ids[3]]
    assert list_ids(town, state="refunded", before=ids[3]) == [ids[2]]
    assert list_ids(town, state="refunded", programme_id=town.programme_id) == [ids[3], ids[2]]
    assert list_ids(town, state="voided", programme_id=new_id()) == []
    assert list_ids(town, state="voided", since=at) == []
    bound = Actor(kind="person", id="p", client_id="person:p", shop_id=town.outside_shop_id)
    with unit_of_work(replace(town.scope, actor=bound)) as work:
        assert payments.list_payments(work, payments.PaymentFilter(state="voided")) == []


def test_the_payment_of_a_moment_ago_is_found_while_it_stands(town):
    with unit_of_work(town.scope) as work:
        since = work.at - timedelta(seconds=60)

    def last(coupon=0, shop_id=town.shop_id):
        with unit_of_work(town.scope) as work:
            account_id = town.coupons[coupon].account_id
            return payments.last_payment(work, shop_id, account_id, since)

    assert last() is None
    paid = payments.pay(town.scope, make.pay_order(town, 100))
    found = last()
    assert found is not None
    assert found.id == paid.id
    assert last(coupon=1) is None
    assert last(shop_id=town.outside_shop_id) is None
    with unit_of_work(town.scope) as work:
        payments.void(work, paid.id)
    assert last() is None
