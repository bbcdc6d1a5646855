"""Messages of which nobody knows whether they were taken: the provider is asked."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work
from giftpad.messaging.adapters import knows_keys
from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.commands.fates import close, lock_message
from giftpad.messaging.commands.intents import put_on_queue
from giftpad.messaging.commands.sending import make_parcel, open_message
from giftpad.messaging.models import MessageRow
from giftpad.messaging.rules.sending import (
    ASKED_AFTER,
    ASKED_MAX,
    ASKED_WITHIN,
    NEVER,
    SENT,
    UNKNOWN,
    Found,
    Outcome,
)


def list_doubtful(work: Work) -> list[Parcel]:
    """Return messages that a provider may be asked for, longest unasked first; only SMS can be."""
    found = (
        sa.select(MessageRow)
        .where(
            MessageRow.tenant_id == work.tenant_id,
            MessageRow.state == UNKNOWN,
            MessageRow.channel == "sms",
            MessageRow.values_sealed.is_not(None),
            MessageRow.created_at > work.at - ASKED_WITHIN,
            MessageRow.told_at <= work.at - ASKED_AFTER,
        )
        .order_by(MessageRow.told_at)
        .limit(ASKED_MAX)
    )
    parcels = []
    for row in work.session.execute(found).scalars():
        try:
            to, values = open_message(row)
        except SealBroken:
            continue
        repeats = knows_keys(row.channel)
        parcels.append(make_parcel(work, row, to, values, repeats=repeats))
    return parcels


def note_found(work: Work, message_id: UUID, found: Found) -> bool:
    """Write down what a provider said of a message; False if it could not tell.

    One that was never taken goes on its queue again.
    Locks: the message, its run.
    Publishes: message.sent_v1, with a reference; or that the message is due.
    """
    row = lock_message(work, message_id)
    if row is None or row.state != UNKNOWN:
        return False
    if isinstance(found, Outcome):
        row.provider_id, row.sent_at = found.provider_id, work.at
        close(work, row, SENT)
        return True
    if found is NEVER:
        put_on_queue(work, row)
        return True
    row.told_at = work.at  # the others are asked for first
    return False
