"""Bulk goes out a chunk at a time: made ready together, begun one by one, closed together.

Hides: what stands of a message between its own attempt and the end of its chunk.  Beginning one
message writes down, in the same commit, that the one before was taken; so a worker that dies
leaves one message of which nobody knows, and the next worker closes the others of its chunk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import events
from giftpad.kernel.db import database
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Scope, Work
from giftpad.messaging.adapters import knows_keys
from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.commands.bulk import Held
from giftpad.messaging.commands.fates import close
from giftpad.messaging.commands.runs import note_change
from giftpad.messaging.commands.sending import (
    NOT_OPENED,
    find_end,
    make_parcel,
    open_message,
)
from giftpad.messaging.commands.suppressions import find_reasons, stopped_address
from giftpad.messaging.events import MessageSent
from giftpad.messaging.models import MessageRow
from giftpad.messaging.rules.letters import LETTERS
from giftpad.messaging.rules.sending import (
    FAILED,
    OPEN,
    QUEUED,
    SENDING,
    SENT,
    SUPPRESSED,
    TAKEN_BY_PROVIDER,
    may_repeat,
)
from giftpad.messaging.rules.suppressions import is_stopped

_BEGIN_NEXT = """
    SELECT messaging_begin_next(%(tenant)s, %(done)s, %(done_attempt)s, %(done_name)s,
        %(next)s, %(next_attempt)s, %(held_until)s)
"""
_CLOSE = sa.text("""
    UPDATE messaging_messages m
    SET state = :sent, sent_at = COALESCE(m.sent_at, :at), told_at = :at, provider_id = n.name,
        leased_until = NULL, due_at = NULL, asks_first = false, values_sealed = NULL,
        last_error = ''
    FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS bigint[]), CAST(:names AS text[]))
        AS n (id, attempt, name)
    WHERE m.tenant_id = :tenant AND m.id = n.id AND m.state = :sending AND m.attempts = n.attempt
    RETURNING m.id, m.run_id, m.reference
""")
_NAME = sa.text("""
    UPDATE messaging_messages m SET provider_id = n.name
    FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[])) AS n (id, name)
    WHERE m.tenant_id = :tenant AND m.id = n.id AND m.state = ANY(:taken) AND m.provider_id = ''
""")


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that the provider has, and what it calls it."""

    id: UUID
    attempt: int
    name: str


def make_ready(work: Work, held: Held) -> list[Parcel]:
    """Return what is to be sent of the messages held, as it is handed over; the others are closed.

    Locks: the messages, the runs of those that are not to be sent.
    Publishes: message.sent_v1, message.given_up_v1 or message.unknown_v1 of those that are not,
    with a reference.
    """
    found = (
        sa.select(MessageRow)
        .where(
            MessageRow.tenant_id == work.tenant_id,
            MessageRow.id.in_(held.ids),
            MessageRow.state.in_(OPEN),
            MessageRow.due_at == held.until,
        )
        .order_by(MessageRow.id)
        .with_for_update()
    )
    opened: list[tuple[MessageRow, str, dict[str, Any]]] = []
    ended: list[tuple[MessageRow, str]] = []
    for row in work.session.execute(found).scalars().all():
        if state := find_end(work, row, repeats=_repeats(row)):
            ended.append((row, state))
            continue
        row.state, row.leased_until = QUEUED, None  # one that may go again, of a dead worker
        try:
            opened.append((row, *open_message(row)))
        except SealBroken:
            row.last_error = NOT_OPENED
            ended.append((row, FAILED))
    parcels, stopped = _leave_out_stopped(work, opened)
    # By their runs, as everybody who closes messages of several.
    for row, state in sorted([*ended, *stopped], key=lambda each: str(each[0].run_id)):
        close(work, row, state)
    return parcels


def _repeats(row: MessageRow) -> bool:
    return may_repeat(row.queue, knows_keys=knows_keys(row.channel))


def _leave_out_stopped(
    work: Work, opened: Sequence[tuple[MessageRow, str, dict[str, Any]]]
) -> tuple[list[Parcel], list[tuple[MessageRow, str]]]:
    """Return what is to be sent, and what is not as its address is stopped."""
    indexes = [stopped_address(work, row.channel, to, "").index for row, to, _ in opened]
    reasons = find_reasons(work, indexes)
    parcels, stopped = [], []
    for (row, to, values), index in zip(opened, indexes, strict=True):
        letter = LETTERS[row.template]
        why = [each for each in reasons[index] if is_stopped(each, row.queue, letter)]
        if why:
            row.last_error = f"nothing is sent to this address: {why[0]}"
            stopped.append((row, SUPPRESSED))
            continue
        parcels.append(
            make_parcel(work, row, to, values, repeats=_repeats(row), attempt=row.attempts + 1)
        )
    return parcels, stopped


def begin_next(scope: Scope, parcel: Parcel, held: Held, *, before: Taken | None) -> bool:
    """Begin an attempt at a message, in a transaction of its own; False if it is not to be sent.

    ``before`` is the one before it, which the provider has taken.
    Locks: both messages.
    Raises: DatabaseAway, Busy.
    """
    (is_ours,) = database().hot_call(
        _BEGIN_NEXT,
        {
            "tenant": scope.tenant_id,
            "done": before.id if before else None,
            "done_attempt": before.attempt if before else None,
            "done_name": before.name if before else None,
            "next": parcel.id,
            "next_attempt": parcel.attempt,
            "held_until": held.until.isoformat(),
        },
    )
    return bool(is_ours)


def finish_taken(work: Work, taken: Sequence[Taken]) -> int:
    """Close messages that the provider has; return how many.

    Of one whose receipt was quicker only the provider's name for it is written down.
    Locks: the messages, then their runs.
    Publishes: message.sent_v1, with a reference.
    """
    if not taken:
        return 0
    told = {
        "tenant": work.tenant_id,
        "ids": [each.id for each in taken],
        "names": [each.name for each in taken],
    }
    closed = work.session.execute(
        _CLOSE,
        told
        | {
            "attempts": [each.attempt for each in taken],
            "sent": SENT,
            "sending": SENDING,
            "at": work.at,
        },
    ).all()
    if len(closed) < len(taken):
        work.session.execute(_NAME, told | {"taken": list(TAKEN_BY_PROVIDER)})
    by_run = Counter(run_id for _, run_id, _ in closed if run_id is not None)
    for run_id, count in sorted(by_run.items()):
        note_change(work, run_id, before=SENDING, after=SENT, count=count)
    events.publish_many(
        work,
        [
            MessageSent(object_id=message_id, reference=reference)
            for message_id, _, reference in closed
            if reference is not None
        ],
    )
    return len(closed)
