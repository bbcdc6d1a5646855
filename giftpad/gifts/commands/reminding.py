"""Reminding those who have not chosen yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import messaging
from giftpad.gifts.commands.letters import REMINDER, invite
from giftpad.gifts.models import GiftRow, OrderRow
from giftpad.gifts.rules.contracts import MAIL, SMS
from giftpad.gifts.rules.gifts import DELIVERED, HANDED_OVER, OUTSTANDING
from giftpad.gifts.rules.orders import CLOSED
from giftpad.kernel.errors import DomainError
from giftpad.kernel.log import get_logger
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work, savepoint

log = get_logger("gifts")
REMIND_BEFORE = timedelta(days=14)
REMIND_LEAST = timedelta(days=7)
"""Nobody is reminded of a gift that came less than this ago."""
REMIND_COUNT_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """How many were reminded, and where to go on; ``last`` is None when nobody is left."""

    count: int
    last: tuple[datetime, UUID] | None


def remind_some(work: Work, after: tuple[datetime, UUID] | None = None) -> Reminded:
    """Remind recipients whose gift ends soon, once each.

    One that cannot be written to is passed over and named in the log; the others are reminded.
    Locks: the gifts, passing over those that somebody is at.
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
    for gift, order in work.session.execute(due):
        by_order.setdefault(order.id, (order, []))[1].append(gift)
        last = gift.ends_at, gift.id
    count = sum(_remind(work, order, gifts) for order, gifts in by_order.values())
    return Reminded(count=count, last=last)


def _remind(work: Work, order: OrderRow, gifts: Sequence[GiftRow]) -> int:
    """Remind the recipients of one order together, or one by one if that cannot be done."""
    try:
        with savepoint(work):
            invite(work, order, gifts, template=REMINDER)
            _note_reminded(work, gifts)
    except (DomainError, SealBroken) as error:
        if len(gifts) > 1:
            return sum(_remind(work, order, [gift]) for gift in gifts)
        log.warning("gift not reminded", gift_id=str(gifts[0].id), reason=type(error).__name__)
        return 0
    return len(gifts)


def _note_reminded(work: Work, gifts: Sequence[GiftRow]) -> None:
    for gift in gifts:
        gift.reminded_at = work.at
    work.session.flush()  # or it would be written after the savepoint, whatever came of that
