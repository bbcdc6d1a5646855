"""Reminding those who have not chosen yet: by itself before the end, and by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, messaging
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.letters import invite
from giftpad.gifts.commands.withdrawing import hold_reminders, withdraw_reminders
from giftpad.gifts.errors import MoreToRemind, NobodyToRemind
from giftpad.gifts.events import RemindersDue
from giftpad.gifts.models import GiftRow, OrderRow
from giftpad.gifts.models.orders import INSTANT
from giftpad.gifts.queries.contracts import get_leaving
from giftpad.gifts.queries.reminding import (
    Selection,
    find_stopped,
    look_at_reminders,
    selected,
    why_not,
)
from giftpad.gifts.rules.contracts import MAIL, SMS
from giftpad.gifts.rules.gifts import DELIVERED, HANDED_OVER, OUTSTANDING, REMINDER
from giftpad.gifts.rules.orders import CLOSED, ISSUING, SENT
from giftpad.kernel.errors import DomainError
from giftpad.kernel.log import get_logger
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work, savepoint

log = get_logger("gifts")
REMIND_BEFORE = timedelta(days=14)
REMIND_LEAST = timedelta(days=7)
"""Nobody is reminded of a gift that came less than this ago."""
REMIND_COUNT_MAX = 200
HAND_COUNT_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """How many were reminded, and where to go on; ``last`` is None when nobody is left."""

    count: int
    last: tuple[datetime, UUID] | None


def remind_some(work: Work, after: tuple[datetime, UUID] | None = None) -> Reminded:
    """Remind recipients whose gift ends soon, once each.

    One that cannot be written to is passed over and named in the log; the others are reminded.
    Locks: the gifts, passing over those that somebody is at, reminders of them that wait, the runs.
    """
    channels = [channel for channel in (MAIL, SMS) if messaging.can_send(channel)]
    place = sa.tuple_(GiftRow.ends_at, GiftRow.id)
    due = (
        sa.select(GiftRow, OrderRow)
        .join(
            OrderRow,
            sa.and_(OrderRow.tenant_id == GiftRow.tenant_id, OrderRow.id == GiftRow.order_id),
        )
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.state == OUTSTANDING,
            GiftRow.channel.in_(channels),
            GiftRow.delivery.in_((HANDED_OVER, DELIVERED)),
            GiftRow.reminded_at.is_(None),
            GiftRow.ends_at.between(work.at, work.at + REMIND_BEFORE),
            GiftRow.queued_at < work.at - REMIND_LEAST,
            OrderRow.state != CLOSED,
        )
        .order_by(GiftRow.ends_at, GiftRow.id)
        .limit(REMIND_COUNT_MAX)
        .with_for_update(skip_locked=True, of=GiftRow)
    )
    if after is not None:
        due = due.where(place > sa.tuple_(sa.literal(after[0]), sa.literal(after[1])))
    by_order: dict[UUID, tuple[OrderRow, list[GiftRow]]] = {}
    last = None
    found = work.session.execute(due).all()
    hold_reminders(work, [gift for gift, _ in found])
    for gift, order in found:
        by_order.setdefault(order.id, (order, []))[1].append(gift)
        last = gift.ends_at, gift.id
    # By their runs: whoever closes letters of several runs takes these in the same order.
    orders = sorted(by_order.values(), key=lambda each: each[0].run_id or each[0].id)
    count = sum(_remind(work, order, gifts, _note_reminded) for order, gifts in orders)
    return Reminded(count=count, last=last)


def remind_anew(work: Work, order: OrderRow, gift: GiftRow) -> None:
    """Write a reminder by hand once more that was withdrawn, for what it said is not so any more.

    Whoever wants none by now gets none; that one cannot be written is named in the log.
    Locks: the run of the order's letters.
    """
    if not find_stopped(work, [gift]):
        _remind(work, order, [gift], _note_by_hand)


Note = Callable[[Work, Sequence[GiftRow], datetime], None]


def _remind(work: Work, order: OrderRow, gifts: Sequence[GiftRow], note: Note) -> int:
    """Remind the recipients of one order together, or one by one if that cannot be done.

    Of two reminders to somebody the first leaves no more if it has not left yet.
    """
    try:
        with savepoint(work):
            withdraw_reminders(work, gifts)
            note(work, gifts, invite(work, order, gifts, template=REMINDER))
    except (DomainError, SealBroken) as error:
        if len(gifts) > 1:
            return sum(_remind(work, order, [gift], note) for gift in gifts)
        log.warning("gift not reminded", gift_id=str(gifts[0].id), reason=type(error).__name__)
        return 0
    return len(gifts)


def _note_reminded(work: Work, gifts: Sequence[GiftRow], leaves_at: datetime) -> None:
    for gift in gifts:
        gift.reminded_at = leaves_at
    work.session.flush()  # or it would be written after the savepoint, whatever came of that


def begin_reminding(
    work: Work,
    selection: Selection,
    *,
    seen: int | None = None,
    seen_at: datetime | None = None,
) -> tuple[int, bool]:
    """Remind whoever of a selection can be reminded, the first now, the others right after.

    Return how many are written to already, and whether others follow.  ``seen`` is how many
    whoever asks was told of, and ``seen_at`` when: if more are due, nobody is written to.  Those
    whose pause of a day has ended since are not due: a day after a large order that would be
    some more at every moment.
    Locks: the order, the gifts, reminders of them that wait, the run.
    Raises: OrderNotFound, OrderWrongState, MoreToRemind, NobodyToRemind.
    Publishes: gift_order.reminders_due_v1 if some are left.
    """
    order = lock_order(work, selection.order_id, ISSUING, SENT)
    begun_at = min(seen_at or work.at, work.at)
    due = look_at_reminders(work, selection, begun_at=begun_at).count
    if seen is not None and due > seen:
        raise MoreToRemind(n=due)
    reminded = remind_next(work, selection, begun_at=begun_at)
    if not reminded.count and reminded.last is None:
        raise NobodyToRemind
    # Now, for those who follow are written to by nobody in particular.
    audit.record(
        work,
        action="gift_order.reminded",
        subject=f"gift_order:{order.id}",
        details={"gifts": due, "selection": "found" if selection.word else selection.shown},
    )
    if reminded.last is not None:
        pass_reminders_on(work, selection, begun_at=begun_at, after=reminded.last)
    return reminded.count, reminded.last is not None


def pass_reminders_on(work: Work, selection: Selection, *, begun_at: datetime, after: int) -> None:
    """Let somebody else go on reminding, behind the gift of this number.

    What a word names is never so much, and the word may be an address.
    Publishes: gift_order.reminders_due_v1.
    """
    assert not selection.word
    due = RemindersDue(
        object_id=selection.order_id, shown=selection.shown, begun_at=begun_at, after=after
    )
    events.publish(work, due)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """How many were reminded, and the last number that was looked at; None when none is left."""

    count: int
    last: int | None


def remind_next(work: Work, selection: Selection, *, begun_at: datetime, after: int = 0) -> ByHand:
    """Remind the next ones of a selection, up to ``HAND_COUNT_MAX``, as begun at an instant.

    One that somebody is at, or that cannot be written to, is passed over.
    Locks: the order, the gifts, reminders of them that wait, the run.
    Raises: OrderNotFound, OrderWrongState.
    """
    order = lock_order(work, selection.order_id, ISSUING, SENT)
    why = why_not(begun_at, leaves_at=get_leaving(work, order.run_id).at)
    found = work.session.scalars(
        sa.select(GiftRow)
        .where(*selected(work, selection), GiftRow.number > after, why == "")
        .order_by(GiftRow.number)
        .limit(HAND_COUNT_MAX + 1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    gifts = found[:HAND_COUNT_MAX]
    stopped = {gift.id for gift in find_stopped(work, gifts)}
    written = [gift for gift in gifts if gift.id not in stopped]
    hold_reminders(work, written)
    count = _remind(work, order, written, _note_by_hand) if written else 0
    return ByHand(count=count, last=gifts[-1].number if len(found) > len(gifts) else None)


def _note_by_hand(work: Work, gifts: Sequence[GiftRow], leaves_at: datetime) -> None:
    noted = sa.func.array_append(GiftRow.hand_reminded_at, sa.literal(leaves_at, INSTANT))
    work.session.execute(
        sa.update(GiftRow)
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id.in_([gift.id for gift in gifts]))
        .values(hand_reminded_at=noted)
        .execution_options(synchronize_session=False)
    )
