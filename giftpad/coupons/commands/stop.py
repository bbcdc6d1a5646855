"""Blocking and unblocking coupons, one or a run of them."""

from __future__ import annotations

from collections.abc import Callable

from giftpad import audit, events, payments
from giftpad.coupons.errors import BadRange, CouponWrongState
from giftpad.coupons.events import CouponsBlocked, CouponsUnblocked
from giftpad.coupons.models import CouponBatch
from giftpad.coupons.models.finding import Found, list_batches_between, require_coupon
from giftpad.coupons.models.instruments import require_instrument
from giftpad.coupons.rules import ACTIVE, BLOCKED, ISSUED, RANGE_COUNT_MAX, state_of_coupon
from giftpad.kernel.work import Work

_Turn = Callable[[Work, int, int], int]


def block(work: Work, first: str, *, last: str | None = None, reason: str) -> int:
    """Stop one coupon, or all from ``first`` to ``last``; return how many were stopped by this.

    What was replaced or is not issued is passed over in a run, and refused alone.
    Locks: the coupons' accounts, in the order of their ids.
    Raises: CouponNotFound, CouponWrongState, BadRange.
    Publishes: coupon_range.blocked_v1 for each batch in which one was stopped.
    """
    run = _run(work, first, last)
    return _turn(work, run, reason=reason, blocks=True)


def unblock(work: Work, first: str, *, last: str | None = None, reason: str) -> int:
    """Let one blocked coupon, or all from ``first`` to ``last``, be spent again; return how many.

    Raises: CouponNotFound, CouponWrongState, BadRange.
    Publishes: coupon_range.unblocked_v1 for each batch in which one was freed.
    """
    run = _run(work, first, last)
    return _turn(work, run, reason=reason, blocks=False)


def _run(work: Work, first: str, last: str | None) -> tuple[Found, Found]:
    start = require_coupon(work, first)
    if last is None:
        _check_alone(work, start)
        return start, start
    end = require_coupon(work, last)
    count = end.number - start.number + 1
    if start.batch.programme_id != end.batch.programme_id or not 1 <= count <= RANGE_COUNT_MAX:
        raise BadRange(count_max=RANGE_COUNT_MAX)
    return start, end


def _check_alone(work: Work, found: Found) -> None:
    instrument = require_instrument(work, found)
    state = state_of_coupon(
        instrument.state,
        released_at=instrument.released_at,
        ends_at=instrument.ends_at,
        now=work.at,
    )
    if state not in (ISSUED, ACTIVE, BLOCKED):
        raise CouponWrongState(serial=found.serial, state=state)


def _turn(work: Work, run: tuple[Found, Found], *, reason: str, blocks: bool) -> int:
    start, end = run
    turn: _Turn = payments.block_instruments if blocks else payments.unblock_instruments
    total = 0
    for batch in list_batches_between(
        work, start.batch.programme_id, start.number, last=end.number
    ):
        first, last = _overlap(batch, start.number, end.number)
        offset = batch.locator_first - batch.serial_first
        count = turn(work, first + offset, last + offset)
        if count:
            fact = CouponsBlocked if blocks else CouponsUnblocked
            events.publish(
                work,
                fact(object_id=batch.id, serial_first=first, serial_last=last, count=count),
            )
        total += count
    audit.record(
        work,
        action="coupon.blocked" if blocks else "coupon.unblocked",
        subject=f"coupon:{start.serial}",
        details={"to": end.serial, "count": total, "reason": reason},
    )
    return total


def _overlap(batch: CouponBatch, first: int, last: int) -> tuple[int, int]:
    return max(first, batch.serial_first), min(last, batch.serial_first + batch.quantity - 1)
