"""Hold a message for one attempt, write down how it ended, and see that none is left lying."""

from __future__ import annotations

import json
from uuid import UUID

import sqlalchemy as sa

from giftpad import events, tenancy
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work, rows_changed
from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.commands.intents import EVENTS, lock_message
from giftpad.messaging.errors import PutOff
from giftpad.messaging.models import MessageRow, message_place
from giftpad.messaging.rules.letters import write
from giftpad.messaging.rules.sending import (
    ATTEMPTS_MAX,
    EXPIRED,
    FAILED,
    LEASE,
    OPEN,
    OVERLOOKED,
    QUEUED,
    SENDING,
    SENT,
    UNKNOWN,
    Outcome,
    late_wait,
    may_repeat,
    state_after,
)

PUT_BACK_MAX = 500
PURGE_MAX = 5_000
VANISHED = "the worker that sent it ended without a word"


def start_sending(work: Work, message_id: UUID) -> Parcel | None:
    """Hold a message for one attempt; None if there is nothing to be sent any more.

    Locks: the message.
    Raises: PutOff while somebody else holds it.
    """
    row = lock_message(work, message_id)
    if row is None or row.state not in OPEN:
        return None
    repeats = may_repeat(row.channel, row.queue)
    if row.state == SENDING:
        assert row.leased_until is not None
        if row.leased_until > work.at:
            message = "another worker is sending it"
            raise PutOff(message)
        row.last_error = VANISHED
        if not repeats:
            _end(row, UNKNOWN)
            return None
    if row.send_before is not None and row.send_before <= work.at:
        _end(row, EXPIRED)
        return None
    if row.attempts >= ATTEMPTS_MAX:
        _end(row, FAILED)
        return None
    return _hold(work, row, repeats=repeats)


def _hold(work: Work, row: MessageRow, *, repeats: bool) -> Parcel | None:
    try:
        to = _open(row, "recipient_sealed", row.recipient_sealed)
        values = json.loads(_open(row, "values_sealed", row.values_sealed))
    except SealBroken:
        row.last_error = "its content does not open: the key is gone"
        _end(row, FAILED)
        return None
    row.state = SENDING
    row.attempts += 1
    row.leased_until = work.at + LEASE
    row.due_at = row.leased_until
    return Parcel(
        id=row.id,
        channel=row.channel,
        queue=row.queue,
        template=row.template,
        attempt=row.attempts,
        repeats=repeats,
        at=work.at,
        to=to,
        written=write(
            row.template,
            row.channel,
            values,
            locale=row.locale,
            zone=tenancy.get_tenant(row.tenant_id).zone,
        ),
    )


def _open(row: MessageRow, column: str, sealed: bytes | None) -> str:
    if sealed is None:
        message = f"{column} is gone"
        raise SealBroken(message)
    return tenancy.open_text(row.tenant_id, message_place(row.tenant_id, row.id, column), sealed)


def _end(row: MessageRow, state: str) -> None:
    """Close a message; what it said is forgotten unless a person may have it sent again."""
    row.state, row.leased_until, row.due_at = state, None, None
    if state in (SENT, EXPIRED) or row.queue == "otp":
        row.values_sealed = None


def finish_sending(work: Work, parcel: Parcel, outcome: Outcome) -> str:
    """Write down how an attempt ended and return the state that follows from it.

    An attempt that took so long that another one has begun changes nothing any more.
    Locks: the message.
    """
    row = lock_message(work, parcel.id)
    if row is None or row.state != SENDING or row.attempts != parcel.attempt:
        return SENT if row is None else row.state
    state = state_after(outcome, repeats=parcel.repeats, attempts=row.attempts)
    row.last_error = outcome.reason
    if state == SENT:
        row.provider_id, row.sent_at = outcome.provider_id, work.at
    if state == QUEUED:
        row.state, row.leased_until = state, None
        row.due_at = work.at + late_wait(row.attempts)
    else:
        _end(row, state)
    return state


def put_back(work: Work) -> int:
    """Put open messages that nothing has moved on their queues again; return how many.

    Locks: the messages, skipping those that somebody sends just now.
    """
    due = (
        sa.select(MessageRow)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.due_at <= work.at)
        .order_by(MessageRow.due_at)
        .limit(PUT_BACK_MAX)
        .with_for_update(skip_locked=True)
    )
    count = 0
    for row in work.session.execute(due).scalars():
        row.due_at = work.at + OVERLOOKED
        events.publish(work, EVENTS[row.queue](object_id=row.id))
        count += 1
    return count


def purge(work: Work) -> int:
    """Delete messages that are kept no longer; return how many."""
    old = (
        sa.select(MessageRow.id)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.delete_after < work.at)
        .limit(PURGE_MAX)
    )
    return rows_changed(
        work.session.execute(
            sa.delete(MessageRow).where(
                MessageRow.tenant_id == work.tenant_id, MessageRow.id.in_(old.scalar_subquery())
            )
        )
    )
