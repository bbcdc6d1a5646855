"""Record that something is to be said to somebody, or said once more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.ids import new_tagged_id
from giftpad.kernel.work import Work
from giftpad.messaging.adapters import can_send
from giftpad.messaging.commands.due import publish_due
from giftpad.messaging.commands.fates import lock_message
from giftpad.messaging.commands.runs import add_to_run, note_change
from giftpad.messaging.errors import (
    ChannelMissing,
    MessageNotFound,
    MessageWrongState,
    ValuesUnfit,
)
from giftpad.messaging.models import MessageRow, message_place
from giftpad.messaging.queries import find_wording
from giftpad.messaging.rules.addresses import check_mail, check_recipient
from giftpad.messaging.rules.letters import ENVELOPE, Written, check_values, get_letter, write
from giftpad.messaging.rules.sending import (
    AT_A_LOSS,
    BULK,
    CHANNELS,
    KEPT,
    OVERLOOKED,
    QUEUED,
    UNKNOWN,
    queue_of,
)
from giftpad.messaging.rules.values import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be said to whom.

    ``values`` are those that the template names, no more and no less.  A message with a code
    must have ``send_before``: the end of the code.  ``is_bulk``: nobody waits for it; only such
    a one is part of a run.  ``reference`` is what it is about: with one, events tell what became
    of it.  Of a mail ``sender_name`` is shown as its sender and ``reply_to`` gets the answers; the
    tenant's, or the house's, otherwise.  ``picture`` names one that ``bind_pictures`` knows; the
    mail carries it, and nobody keeps it.
    """

    template: str
    to: str = field(repr=False)
    values: Mapping[str, str | int | datetime | date] = field(repr=False)
    locale: str = "ja"
    channel: str = "mail"
    send_before: datetime | None = None
    is_bulk: bool = False
    run_id: UUID | None = None
    reference: UUID | None = None
    sender_name: str = ""
    reply_to: str = field(default="", repr=False)
    picture: str = ""


def send(work: Work, message: Message) -> UUID:
    """Record a message; it leaves when, and only when, ``work`` commits.

    Raises: TemplateUnknown, ValuesUnfit, AddressUnfit, ChannelMissing, RunNotFound.
    Publishes: message.code_due_v1, message.mail_due_v1 or message.sms_due_v1; of bulk,
    message.bulk_mail_due_v1 or message.bulk_sms_due_v1.
    """
    (message_id,) = send_many(work, [message])
    return message_id


def send_many(work: Work, messages: Sequence[Message]) -> list[UUID]:
    """Record messages by a few statements, all or none, and return their ids in their order.

    Locks: the runs they are part of.
    Raises: TemplateUnknown, ValuesUnfit, AddressUnfit, ChannelMissing, RunNotFound.
    Publishes: as ``send``; of bulk one event for many.
    """
    rows = [_row_of(work, message) for message in messages]
    if not rows:
        return []
    for run_id, count in sorted(Counter(row["run_id"] for row in rows if row["run_id"]).items()):
        add_to_run(work, run_id, count)
    work.session.execute(insert(MessageRow), rows)
    for queue in {row["queue"] for row in rows}:
        publish_due(work, queue, [row["id"] for row in rows if row["queue"] == queue])
    return [row["id"] for row in rows]


def _row_of(work: Work, message: Message) -> dict[str, Any]:
    assert message.channel in CHANNELS
    assert message.locale in LOCALES
    assert message.is_bulk or message.run_id is None, "only bulk is part of a run"
    letter = get_letter(message.template, message.channel)
    values: dict[str, Any] = check_values(message.template, message.values)
    to = check_recipient(message.channel, message.to)
    assert not letter.is_code or message.send_before is not None, "a code has an end"
    if not can_send(message.channel):
        raise ChannelMissing(channel=message.channel)
    values |= _envelope_of(message)
    message_id = new_tagged_id(tenancy.get_tenant(work.tenant_id).tag)
    return {
        "tenant_id": work.tenant_id,
        "id": message_id,
        "channel": message.channel,
        "queue": queue_of(message.channel, is_code=letter.is_code, is_bulk=message.is_bulk),
        "template": message.template,
        "locale": message.locale,
        "recipient_sealed": _seal(work, message_id, "recipient_sealed", to),
        "values_sealed": _seal(work, message_id, "values_sealed", json.dumps(values)),
        "state": QUEUED,
        "due_at": work.at if message.is_bulk else work.at + OVERLOOKED,
        "send_before": message.send_before,
        "run_id": message.run_id,
        "reference": message.reference,
        "created_at": work.at,
        "delete_after": work.at + KEPT,
    }


def _envelope_of(message: Message) -> dict[str, Any]:
    """Return what a mail has beside its values; no template has a value of this name."""
    if message.channel != "mail":
        return {}
    envelope = {
        "sender_name": message.sender_name,
        "reply_to": check_mail(message.reply_to) if message.reply_to else "",
        "picture": message.picture,
    }
    for name in ("sender_name", "picture"):
        if envelope[name] and KINDS["text"](envelope[name]) is None:
            raise ValuesUnfit(template=message.template, names=name)
    return {ENVELOPE: envelope} if any(envelope.values()) else {}


def preview(work: Work, message: Message, *, picture: bytes | None = None) -> Written:
    """Return a message as it would be written, by the tenant's own words where it has them.

    ``picture`` lies in the HTML itself, to be looked at in a frame.
    Raises: TemplateUnknown, ValuesUnfit.
    """
    get_letter(message.template, message.channel)
    written = write(
        message.template,
        message.channel,
        check_values(message.template, message.values),
        locale=message.locale,
        zone=tenancy.get_tenant(work.tenant_id).zone,
        wording=find_wording(work, message.locale, message.template),
    )
    return written.with_picture(picture)


def _seal(work: Work, message_id: UUID, column: str, text: str) -> bytes:
    place = message_place(work.tenant_id, message_id, column)
    return tenancy.seal_text(work.tenant_id, place, text)


def retry(work: Work, message_id: UUID) -> None:
    """Send a message again that failed, or of which nobody knows whether it was taken.

    Of the latter the provider is asked first, where it can tell.
    Locks: the message, its run.
    Raises: MessageNotFound, MessageWrongState.
    Publishes: message.mail_due_v1 or message.sms_due_v1, or those of bulk.
    """
    row = lock_message(work, message_id)
    if row is None:
        raise MessageNotFound
    if row.state not in AT_A_LOSS or row.values_sealed is None:
        raise MessageWrongState
    before = row.state
    put_on_queue(work, row)
    row.attempts, row.asks_first = 0, before == UNKNOWN
    audit.record(
        work,
        action="message.retried",
        subject=f"message:{row.id}",
        details={"template": row.template, "state": before},
    )


def put_on_queue(work: Work, row: MessageRow) -> None:
    """Let a closed message, which is locked, go on."""
    note_change(work, row.run_id, before=row.state, after=QUEUED)
    is_bulk = row.queue in BULK
    row.state, row.due_at = QUEUED, work.at if is_bulk else work.at + OVERLOOKED
    publish_due(work, row.queue, [row.id])
