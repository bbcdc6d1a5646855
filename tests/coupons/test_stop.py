"""Blocking, unblocking and replacing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad import coupons, ledger, payments
from giftpad.coupons import errors
from giftpad.kernel.errors import DomainError
from giftpad.kernel.work import unit_of_work
from tests import make
from tests import make_coupons as mk
from tests.pump import pump


@pytest.fixture
def town(house):
    return mk.make_town()


def block(town, first, last=None):
    with unit_of_work(town.scope) as work:
        return coupons.block(work, first, last=last, reason="lost parcel")


def unblock(town, first, last=None):
    with unit_of_work(town.scope) as work:
        return coupons.unblock(work, first, last=last, reason="found again")


def replace(town, serial):
    with unit_of_work(town.scope) as work:
        return coupons.replace(work, serial, reason="lost")


def states(town, count):
    return [mk.get_coupon(town, f"MC-{n}").state for n in range(1, count + 1)]


def refused_code(town, code, amount_minor=1):
    with pytest.raises(DomainError) as refusal:
        payments.pay(town.scope, make.pay_order(town, amount_minor, code=code))
    return refusal.value.code


def test_a_blocked_coupon_does_not_pay_until_it_is_unblocked(town, settings):
    batch_id = mk.released(town, settings)
    paper = mk.read_paper(mk.take_pdf(town, batch_id))
    assert block(town, "MC-2") == 1
    assert states(town, 3) == ["active", "blocked", "active"]
    assert refused_code(town, paper[1][0]) == "instrument.blocked"
    assert unblock(town, "mc2") == 1
    assert payments.pay(town.scope, make.pay_order(town, 1, code=paper[1][0])).balance_minor == 999


def test_blocking_twice_stops_nothing_twice(town, settings):
    mk.released(town, settings)
    assert [block(town, "MC-1"), block(town, "MC-1"), unblock(town, "MC-1")] == [1, 0, 1]
    assert unblock(town, "MC-1") == 0


def test_a_run_is_blocked_across_batches(town, settings):
    mk.order(town, 3)
    mk.order(town, 3)
    mk.order(town, 3)
    pump(settings)
    assert block(town, "MC-3", "MC-7") == 5
    assert states(town, 9) == ["issued"] * 2 + ["blocked"] * 5 + ["issued"] * 2
    assert unblock(town, "MC-1", "MC-4") == 2
    assert states(town, 9) == ["issued"] * 4 + ["blocked"] * 3 + ["issued"] * 2


def test_a_run_passes_over_what_was_replaced(town, settings):
    mk.released(town, settings)
    replace(town, "MC-2")
    assert block(town, "MC-1", "MC-3") == 2
    assert states(town, 4) == ["blocked", "replaced", "blocked", "active"]


@pytest.mark.parametrize(("first", "last"), [("MC-3", "MC-1"), ("MC-1", "MD-1")])
def test_a_run_that_is_none_is_refused(town, settings, first, last):
    mk.released(town, settings)
    mk.released(town, settings, programme_id=mk.add_programme(town, "MD"))
    with pytest.raises(errors.BadRange):
        block(town, first, last)


def test_a_replacement_holds_what_was_left_and_the_old_paper_is_dead(town, settings):
    batch_id = mk.released(town, settings)
    old = mk.read_paper(mk.take_pdf(town, batch_id))[0]
    payments.pay(town.scope, make.pay_order(town, 350, code=old[0]))
    new_batch_id = replace(town, "MC-1")
    assert refused_code(town, old[0]) == "instrument.replaced"
    assert refused_code(town, old[1]) == "instrument.replaced"

    pump(settings)
    batch = mk.get_batch(town, new_batch_id)
    assert (batch.state, batch.quantity, batch.replaces) == ("released", 1, "MC-0000001")
    (new,) = mk.read_paper(mk.take_pdf(town, new_batch_id))
    assert payments.pay(town.scope, make.pay_order(town, 250, code=new[0])).balance_minor == 400
    assert payments.pay(town.scope, make.pay_order(town, 400, code=new[1])).balance_minor == 0

    gone, come = mk.get_coupon(town, "MC-1"), mk.get_coupon(town, "MC-4")
    assert (gone.state, gone.balance_minor, gone.replaced_by) == ("replaced", 0, "MC-0000004")
    assert (come.state, come.balance_minor, come.replaces) == ("active", 0, "MC-0000001")
    assert (come.issued_on, come.ends_on) == (gone.issued_on, gone.ends_on)
    assert make.differences(town.scope) == []
    with unit_of_work(town.scope) as work:
        assert ledger.sum_by_kind(work, town.programme_id)["funding"] == -3000


def test_a_refund_reaches_the_replacement(town, settings):
    batch_id = mk.released(town, settings)
    old = mk.read_paper(mk.take_pdf(town, batch_id))[0]
    paid = payments.pay(town.scope, make.pay_order(town, 600, code=old[0]))
    replace(town, "MC-1")
    with unit_of_work(town.scope) as work:
        payments.refund(work, paid.id, 500)
    assert mk.get_coupon(town, "MC-4").balance_minor == 900


def test_a_coupon_is_replaced_once_and_its_successor_may_be_again(town, settings):
    mk.released(town, settings)
    replace(town, "MC-1")
    with pytest.raises(errors.CouponAlreadyReplaced) as refusal:
        replace(town, "MC-1")
    assert refusal.value.params["replaced_by"] == "MC-0000004"
    replace(town, "MC-4")
    assert states(town, 5) == ["replaced", "active", "active", "replaced", "active"]


def test_of_two_who_replace_at_once_one_wins(town, settings):
    mk.released(town, settings)

    def attempt(_):
        try:
            return replace(town, "MC-1")
        except errors.CouponAlreadyReplaced:
            return None

    with ThreadPoolExecutor(4) as pool:
        won = [batch_id for batch_id in pool.map(attempt, range(4)) if batch_id]
    assert len(won) == 1
    assert mk.get_batch(town, won[0]).serial_first == "MC-0000004"


def test_a_blocked_coupon_can_be_replaced(town, settings):
    mk.released(town, settings)
    block(town, "MC-1")
    replace(town, "MC-1")
    assert states(town, 4)[3] == "active"


def test_replacing_what_is_not_released_releases_nothing(town, settings):
    mk.order(town)
    pump(settings)
    new_batch_id = replace(town, "MC-1")
    pump(settings)
    assert mk.get_batch(town, new_batch_id).state == "ready"
    assert mk.get_coupon(town, "MC-4").state == "issued"
    mk.release(town, new_batch_id)
    assert mk.get_coupon(town, "MC-4").state == "active"


def test_a_replaced_coupon_can_be_neither_blocked_nor_unblocked(town, settings):
    mk.released(town, settings)
    replace(town, "MC-1")
    for verb in (block, unblock):
        with pytest.raises(errors.CouponWrongState) as refusal:
            verb(town, "MC-1")
        assert refusal.value.params == {"serial": "MC-0000001", "state": "replaced"}
