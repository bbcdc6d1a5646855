"""Record that something is to be said to somebody, or said once more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events, tenancy
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.messaging.adapters import can_send
from giftpad.messaging.errors import ChannelMissing, MessageNotFound, MessageWrongState
from giftpad.messaging.events import CodeDue, MailDue, SmsDue
from giftpad.messaging.models import MessageRow, message_place
from giftpad.messaging.rules.addresses import check_recipient
from giftpad.messaging.rules.letters import check_values, get_letter
from giftpad.messaging.rules.sending import (
    AT_A_LOSS,
    CHANNELS,
    KEPT,
    OVERLOOKED,
    QUEUED,
    queue_of,
)

EVENTS: Mapping[str, type[CodeDue | MailDue | SmsDue]] = {
    "otp": CodeDue,
    "tx-mail": MailDue,
    "tx-sms": SmsDue,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be said to whom.

    ``values`` are those that the template names, no more and no less.  A message with a code
    must have ``send_before``: the end of the code.
    """

    template: str
    to: str = field(repr=False)
    values: Mapping[str, str | int | datetime | date] = field(repr=False)
    locale: str = "ja"
    channel: str = "mail"
    send_before: datetime | None = None


def send(work: Work, message: Message) -> UUID:
    """Record a message; it leaves when, and only when, ``work`` commits.

    Raises: TemplateUnknown, ValuesUnfit, AddressUnfit, ChannelMissing.
    Publishes: message.code_due_v1, message.mail_due_v1 or message.sms_due_v1.
    """
    assert message.channel in CHANNELS
    assert message.locale in LOCALES
    letter = get_letter(message.template, message.channel)
    values = check_values(message.template, message.values)
    to = check_recipient(message.channel, message.to)
    assert not letter.is_code or message.send_before is not None, "a code has an end"
    if not can_send(message.channel):
        raise ChannelMissing(channel=message.channel)
    message_id = new_id()
    queue = queue_of(message.channel, is_code=letter.is_code)
    work.session.execute(
        insert(MessageRow).values(
            tenant_id=work.tenant_id,
            id=message_id,
            channel=message.channel,
            queue=queue,
            template=message.template,
            locale=message.locale,
            recipient_sealed=_seal(work, message_id, "recipient_sealed", to),
            values_sealed=_seal(work, message_id, "values_sealed", json.dumps(values)),
            state=QUEUED,
            due_at=work.at + OVERLOOKED,
            send_before=message.send_before,
            created_at=work.at,
            delete_after=work.at + KEPT,
        )
    )
    events.publish(work, EVENTS[queue](object_id=message_id))
    return message_id


def _seal(work: Work, message_id: UUID, column: str, text: str) -> bytes:
    place = message_place(work.tenant_id, message_id, column)
    return tenancy.seal_text(work.tenant_id, place, text)


def retry(work: Work, message_id: UUID) -> None:
    """Send a message again that failed, or of which nobody knows whether it was taken.

    Locks: the message.
    Raises: MessageNotFound, MessageWrongState.
    Publishes: message.mail_due_v1 or message.sms_due_v1.
    """
    row = lock_message(work, message_id)
    if row is None:
        raise MessageNotFound
    if row.state not in AT_A_LOSS or row.values_sealed is None:
        raise MessageWrongState
    before = row.state
    row.state, row.attempts, row.due_at = QUEUED, 0, work.at + OVERLOOKED
    events.publish(work, EVENTS[row.queue](object_id=row.id))
    audit.record(
        work,
        action="message.retried",
        subject=f"message:{row.id}",
        details={"template": row.template, "state": before},
    )


def lock_message(work: Work, message_id: UUID) -> MessageRow | None:
    """Return a message's row, which nobody else changes until ``work`` ends."""
    return work.session.execute(
        sa.select(MessageRow)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.id == message_id)
        .with_for_update()
    ).scalar_one_or_none()
