"""Reading what became of messages; nothing here says what was written, or to whom in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work
from giftpad.messaging.errors import MessageNotFound
from giftpad.messaging.models import MessageRow, message_place
from giftpad.messaging.rules.addresses import mask

PAGE_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A message as whoever looks after the queue may see it: the recipient is masked."""

    id: UUID
    channel: str
    queue: str
    template: str
    locale: str
    recipient: str
    state: str
    attempts: int
    provider_id: str
    last_error: str
    created_at: datetime
    send_before: datetime | None
    sent_at: datetime | None


def get_message(work: Work, message_id: UUID) -> MessageView:
    """Return one message.

    Raises: MessageNotFound.
    """
    row = work.session.get(MessageRow, (work.tenant_id, message_id))
    if row is None:
        raise MessageNotFound
    return _view(row)


def list_messages(work: Work, *, states: tuple[str, ...] = ()) -> list[MessageView]:
    """Return messages, newest first, at most ``PAGE_MAX``; all of them or of some states."""
    found = sa.select(MessageRow).where(MessageRow.tenant_id == work.tenant_id)
    if states:
        found = found.where(MessageRow.state.in_(states))
    newest = found.order_by(MessageRow.id.desc()).limit(PAGE_MAX)
    return [_view(row) for row in work.session.execute(newest).scalars()]


def _view(row: MessageRow) -> MessageView:
    place = message_place(row.tenant_id, row.id, "recipient_sealed")
    try:
        recipient = mask(tenancy.open_text(row.tenant_id, place, row.recipient_sealed))
    except SealBroken:
        recipient = "***"
    return MessageView(
        id=row.id,
        channel=row.channel,
        queue=row.queue,
        template=row.template,
        locale=row.locale,
        recipient=recipient,
        state=row.state,
        attempts=row.attempts,
        provider_id=row.provider_id,
        last_error=row.last_error,
        created_at=row.created_at,
        send_before=row.send_before,
        sent_at=row.sent_at,
    )
