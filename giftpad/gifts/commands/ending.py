"""How a gift ends that nobody has claimed: taken back, or out of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, ledger, tenancy
from giftpad.gifts.commands import books
from giftpad.gifts.commands.claiming import lock_gift
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.reminding import remind_anew
from giftpad.gifts.commands.withdrawing import withdraw_letters, withdraw_reminders
from giftpad.gifts.errors import GiftWrongState, OrderUnfit
from giftpad.gifts.events import GiftCancelled, GiftsExpired, OrderClosed, RestDue
from giftpad.gifts.models import GiftRow, OrderRow
from giftpad.gifts.queries.contracts import get_contract
from giftpad.gifts.rules.contracts import RETURNED
from giftpad.gifts.rules.gifts import CANCELLED, EXPIRED, KEPT_AFTER_END, OUTSTANDING
from giftpad.gifts.rules.orders import CLOSED, SENT
from giftpad.kernel.arrays import UuidArray
from giftpad.kernel.clock import end_of, local_date
from giftpad.kernel.ids import new_id, new_ids_packed
from giftpad.kernel.work import Work

EXPIRE_COUNT_MAX = 1000
CANCEL_COUNT_MAX = 1000
CLOSE_COUNT_MAX = 100


def cancel_gift(work: Work, gift_id: UUID, *, reason: str) -> None:
    """Take back a gift that is not claimed, or the rest of one; that goes back to the tenant.

    Locks: the gift, its account, the deposit, then the letter and its run.
    Raises: GiftNotFound, GiftWrongState.
    Publishes: gift.cancelled_v1.
    """
    gift, order = lock_gift(work, gift_id)
    if gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state)
    _cancel(work, order, gift)
    withdraw_letters(work, [gift])
    audit.record(
        work,
        action="gift.cancelled",
        subject=f"gift:{gift.id}",
        details={"amount_minor": gift.cancelled_minor, "reason": reason},
    )


def _cancel(work: Work, order: OrderRow, gift: GiftRow) -> None:
    entry_id, left_minor = new_id(), gift.left_minor
    books.move(
        work,
        "gift_cancel",
        left_minor,
        debit_id=gift.account_id,
        credit_id=books.account(work, books.CANCELLED, order.unit, order.id),
        entry_id=entry_id,
    )
    _give_back(work, order, left_minor, entry_id)
    gift.state, gift.ended_at = CANCELLED, work.at
    gift.cancelled_minor += left_minor
    events.publish(
        work,
        GiftCancelled(object_id=gift.id, order_id=order.id, amount_minor=left_minor),
    )


def _give_back(work: Work, order: OrderRow, amount_minor: int, entry_id: UUID) -> None:
    """Put value back into the deposit; the order's own account keeps how much it was."""
    books.move(
        work,
        "gift_return",
        amount_minor,
        debit_id=books.account(work, books.RETURNED, order.unit, order.id),
        credit_id=books.account(work, books.DEPOSIT, order.unit),
        entry_id=entry_id,
    )


def cancel_rest(work: Work, order_id: UUID, *, reason: str) -> int:
    """Take back up to ``CANCEL_COUNT_MAX`` unclaimed gifts of an order; return how many.

    It is called until none is left, a transaction each time; what is claimed stays.
    Locks: the order, the gifts, their accounts, the deposit, then the letters and their run.
    Raises: OrderNotFound, OrderWrongState.
    Publishes: gift.cancelled_v1 for each.
    """
    return cancel_next(work, order_id, reason=reason).count


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """How many gifts were taken back, and the highest number of them, where the next begin."""

    count: int
    last: int


def cancel_next(work: Work, order_id: UUID, *, reason: str, after: int = 0) -> TakenBack:
    """Take back the next unclaimed gifts of an order, as ``cancel_rest`` does.

    Whoever goes on ``after`` those taken back before passes over none of them again, of which a
    large order has very many.
    """
    order = lock_order(work, order_id, SENT)
    which = (GiftRow.order_id == order_id, GiftRow.number > after)
    gifts = _lock_some(work, *which, by=GiftRow.number, limit=CANCEL_COUNT_MAX)
    if gifts:
        _cancel_many(work, order, gifts)
        withdraw_letters(work, gifts)
        audit.record(
            work,
            action="gift_order.rest_cancelled",
            subject=f"gift_order:{order_id}",
            details={"count": len(gifts), "reason": reason},
        )
    return TakenBack(count=len(gifts), last=gifts[-1].number if gifts else after)


def _cancel_many(work: Work, order: OrderRow, gifts: Sequence[GiftRow]) -> None:
    entry_id = new_id()
    total = _drain(work, gifts, entry_id, "gift_cancel", into=(books.CANCELLED, order))
    _give_back(work, order, total, entry_id)
    taken_back = []
    for gift in gifts:
        left_minor = gift.left_minor
        gift.state, gift.ended_at = CANCELLED, work.at
        gift.cancelled_minor += left_minor
        taken_back.append(
            GiftCancelled(object_id=gift.id, order_id=order.id, amount_minor=left_minor)
        )
    events.publish_many(work, taken_back)


def _drain(
    work: Work, gifts: Sequence[GiftRow], entry_id: UUID, kind: str, *, into: tuple[str, OrderRow]
) -> int:
    """Move all that lies on the accounts of gifts to an account of their order."""
    account_kind, order = into
    drained = ledger.drain_many(
        work,
        ledger.Bulk(
            entry_id=entry_id,
            kind=kind,
            other_id=books.account(work, account_kind, order.unit, order.id),
            account_ids=UuidArray.of(gift.account_id.bytes for gift in gifts),
            transfer_ids=UuidArray.of(new_ids_packed(len(gifts))),
        ),
    )
    return drained.total_minor


def begin_cancelling(work: Work, order_id: UUID, *, reason: str) -> int:
    """Take back the unclaimed gifts of an order, the first now, the rest right after.

    Return how many are taken back already.
    Locks: the order, the gifts, their accounts, the deposit, then the letters and their run.
    Raises: OrderNotFound, OrderWrongState.
    Publishes: gift.cancelled_v1 for each; gift_order.rest_due_v1 if some are left.
    """
    count = cancel_rest(work, order_id, reason=reason)
    if has_rest(work, order_id):
        events.publish(work, RestDue(object_id=order_id, reason=reason))
    return count


def pass_rest_on(work: Work, order_id: UUID, *, reason: str) -> None:
    """Let somebody else go on taking back what is left of an order.

    Publishes: gift_order.rest_due_v1.
    """
    events.publish(work, RestDue(object_id=order_id, reason=reason))


def has_rest(work: Work, order_id: UUID) -> bool:
    """Whether any gift of an order is outstanding; one that somebody is at counts."""
    return bool(
        work.session.execute(
            sa.select(
                sa.exists().where(
                    GiftRow.tenant_id == work.tenant_id,
                    GiftRow.order_id == order_id,
                    GiftRow.state == OUTSTANDING,
                )
            )
        ).scalar_one()
    )


def _lock_some(
    work: Work, *which: sa.ColumnElement[bool], by: Any, limit: int
) -> Sequence[GiftRow]:
    """Return outstanding gifts, locked, in an order that an index gives: there may be very many."""
    return list(
        work.session.scalars(
            sa.select(GiftRow)
            .where(GiftRow.tenant_id == work.tenant_id, GiftRow.state == OUTSTANDING, *which)
            .order_by(by)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )


def extend_gift(work: Work, gift_id: UUID, claim_by: date, *, reason: str) -> None:
    """Give a recipient more time, within what the contract allows from today on.

    What can be kept in a programme never outlives what that programme says.  A reminder that waits
    names the day before and leaves no more: one that somebody wrote by hand is written anew, unless
    an attempt at it was made, the other one follows by itself when its time has come.
    Locks: the gift, a reminder of it that waits, the run of that, the run of the order's letters.
    Raises: GiftNotFound, GiftWrongState, OrderUnfit.
    """
    gift, order = lock_gift(work, gift_id)
    zone = tenancy.get_tenant(work.tenant_id).zone
    last = local_date(work.at, zone) + timedelta(days=get_contract(work).claim_days_max)
    last = min(last, order.balance_until or last)
    ends_at = end_of(claim_by, zone)
    if gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state)
    if not gift.ends_at < ends_at <= end_of(last, zone):
        raise OrderUnfit(field="claim_by", last=last.isoformat())
    was_by_hand = gift.queued_at in gift.hand_reminded_at
    withdrawn = withdraw_reminders(work, [gift])
    if gift.is_reminded_last and not was_by_hand:
        gift.message_id = None  # it is forgotten here; its news would be taken for the letter's
    gift.ends_at, gift.reminded_at = ends_at, None
    gift.delete_after = ends_at + KEPT_AFTER_END
    work.session.flush()  # the letter's statement below writes the same row
    if withdrawn and was_by_hand:
        remind_anew(work, order, gift)
    audit.record(
        work,
        action="gift.extended",
        subject=f"gift:{gift.id}",
        details={"claim_by": claim_by.isoformat(), "reason": reason},
    )


def expire_some(work: Work) -> int:
    """End up to ``EXPIRE_COUNT_MAX`` gifts of one order whose time is over; return how many.

    By the contract of the order their value goes back to the tenant or is kept.
    Locks: the gifts, passing over those that somebody claims just now, then their accounts.
    Publishes: gift_order.gifts_expired_v1.
    """
    order_id = work.session.execute(
        sa.select(GiftRow.order_id)
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.state == OUTSTANDING,
            GiftRow.ends_at <= work.at,
        )
        .order_by(GiftRow.ends_at)
        .limit(1)
    ).scalar_one_or_none()
    if order_id is None:
        return 0
    order = lock_order(work, order_id)
    over = (GiftRow.order_id == order_id, GiftRow.ends_at <= work.at)
    gifts = _lock_some(work, *over, by=GiftRow.ends_at, limit=EXPIRE_COUNT_MAX)
    if not gifts:
        return 0
    entry_id = new_id()
    total = _drain(work, gifts, entry_id, "gift_expire", into=(books.EXPIRED, order))
    is_returned = order.unclaimed == RETURNED
    if is_returned:
        _give_back(work, order, total, entry_id)
    for gift in gifts:
        gift.expired_minor += gift.left_minor
        gift.state, gift.ended_at = EXPIRED, work.at
    events.publish(
        work,
        GiftsExpired(
            object_id=order.id,
            count=len(gifts),
            amount_minor=total,
            is_returned=is_returned,
        ),
    )
    return len(gifts)


def close_some(work: Work) -> int:
    """Close orders none of whose gifts is outstanding any more; return how many.

    Locks: the orders, passing over those that somebody is at.
    Publishes: gift_order.closed_v1.
    """
    left = sa.exists().where(
        GiftRow.tenant_id == work.tenant_id,
        GiftRow.order_id == OrderRow.id,
        GiftRow.state == OUTSTANDING,
    )
    through = (OrderRow.tenant_id == work.tenant_id, OrderRow.state == SENT, ~left)
    order_ids = work.session.scalars(
        sa.select(OrderRow.id)
        .where(*through)
        .limit(CLOSE_COUNT_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    # Asked anew: before an order was locked here, one of its gifts may have been given back.
    over = sa.select(OrderRow).where(*through, OrderRow.id.in_(order_ids))
    count = 0
    for order in work.session.scalars(over):
        order.state, order.closed_at = CLOSED, work.at
        events.publish(work, OrderClosed(object_id=order.id))
        count += 1
    return count
