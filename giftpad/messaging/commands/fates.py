"""What becomes of a message in the end, counted in its run and told to whoever asked for it."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad import events
from giftpad.kernel.work import Work
from giftpad.messaging.commands.runs import note_change
from giftpad.messaging.events import (
    MessageBounced,
    MessageDelivered,
    MessageGivenUp,
    MessageSent,
    MessageUnknown,
)
from giftpad.messaging.models import MessageRow
from giftpad.messaging.rules.sending import (
    BOUNCED,
    CODES,
    DELIVERED,
    EXPIRED,
    SENT,
    TAKEN_BY_PROVIDER,
    UNKNOWN,
)


def lock_message(work: Work, message_id: UUID) -> MessageRow | None:
    """Return a message's row, which nobody else changes until ``work`` ends."""
    return work.session.execute(
        sa.select(MessageRow)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.id == message_id)
        .with_for_update()
    ).scalar_one_or_none()


def close(work: Work, row: MessageRow, state: str, *, is_permanent: bool = True) -> None:
    """Close a message, which is locked; what it said is forgotten unless it may go once more.

    Locks: its run.
    Publishes: with a reference, message.sent_v1, message.delivered_v1, message.bounced_v1,
    message.given_up_v1 or message.unknown_v1.
    """
    note_change(work, row.run_id, before=row.state, after=state)
    row.state, row.leased_until, row.due_at, row.asks_first = state, None, None, False
    row.told_at = work.at
    if state in (*TAKEN_BY_PROVIDER, EXPIRED) or row.queue == CODES:
        row.values_sealed = None
    if row.reference is not None:
        fate = _fate(row.id, row.reference, state, is_permanent=is_permanent)
        events.publish(work, fate)


def _fate(
    message_id: UUID, reference: UUID, state: str, *, is_permanent: bool
) -> MessageSent | MessageDelivered | MessageBounced | MessageGivenUp | MessageUnknown:
    if state == SENT:
        return MessageSent(object_id=message_id, reference=reference)
    if state == DELIVERED:
        return MessageDelivered(object_id=message_id, reference=reference)
    if state == BOUNCED:
        return MessageBounced(object_id=message_id, reference=reference, is_permanent=is_permanent)
    if state == UNKNOWN:
        return MessageUnknown(object_id=message_id, reference=reference)
    return MessageGivenUp(object_id=message_id, reference=reference, state=state)
