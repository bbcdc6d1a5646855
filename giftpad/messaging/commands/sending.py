"""Hold a message for one attempt, write down how it ended, and see that none is left lying."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work
from giftpad.messaging.adapters import knows_keys, stop_hook, stop_page
from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.commands.due import publish_due
from giftpad.messaging.commands.fates import close, lock_message
from giftpad.messaging.commands.runs import note_change, purge_runs
from giftpad.messaging.commands.suppressions import (
    find_reason,
    purge_suppressions,
    stop_token,
    stopped_address,
)
from giftpad.messaging.errors import PutOff
from giftpad.messaging.models import LetterheadRow, MessageRow, message_place
from giftpad.messaging.rules.letterheads import wording_in
from giftpad.messaging.rules.letters import ENVELOPE, LETTERS, write
from giftpad.messaging.rules.sending import (
    ATTEMPTS_MAX,
    BULK,
    CODES,
    EXPIRED,
    FAILED,
    LEASE,
    OPEN,
    OVERLOOKED,
    QUEUED,
    SENDING,
    SENT,
    SINGLE,
    SUPPRESSED,
    TAKEN_BY_PROVIDER,
    UNKNOWN,
    Outcome,
    bulk_wait,
    class_of,
    late_wait,
    may_repeat,
    state_after,
)

PUT_BACK_MAX = 500
PURGE_MAX = 5_000
VANISHED = "the worker that sent it ended without a word"
NOT_OPENED = "its content does not open: the key is gone"


def find_way(work: Work, message_id: UUID) -> tuple[str, str] | None:
    """Return the channel and the class of traffic of a message; None if it is not to be sent."""
    found = sa.select(MessageRow.channel, MessageRow.queue).where(
        MessageRow.tenant_id == work.tenant_id,
        MessageRow.id == message_id,
        MessageRow.state.in_(OPEN),
    )
    row = work.session.execute(found).one_or_none()
    return (row.channel, class_of(row.queue)) if row is not None else None


def start_sending(work: Work, message_id: UUID) -> Parcel | None:
    """Hold a message for one attempt; None if there is nothing to be sent any more.

    Locks: the message, its run.
    Raises: PutOff while somebody else holds it.
    """
    row = lock_message(work, message_id)
    if row is None or row.state not in OPEN:
        return None
    repeats = may_repeat(row.queue, knows_keys=knows_keys(row.channel))
    if close_unfit(work, row, repeats=repeats):
        return None
    return _hold(work, row, repeats=repeats)


def close_unfit(work: Work, row: MessageRow, *, repeats: bool) -> bool:
    """Close an open message, which is locked, if no attempt is to be made any more.

    Locks: its run.
    Raises: PutOff while somebody else sends it.
    """
    state = find_end(work, row, repeats=repeats)
    if state:
        close(work, row, state)
    return bool(state)


def find_end(work: Work, row: MessageRow, *, repeats: bool) -> str:
    """Return in what state an open message is to be closed now; empty if it may be sent.

    Raises: PutOff while somebody else sends it.
    """
    state = ""
    if row.state == SENDING:
        assert row.leased_until is not None
        if row.leased_until > work.at:
            message = "another worker is sending it"
            raise PutOff(message)
        if row.sent_at is not None:  # its worker died before the end of its chunk
            state = SENT
        else:
            row.last_error = VANISHED
            state = "" if repeats else UNKNOWN
    if not state and row.send_before is not None and row.send_before <= work.at:
        state = EXPIRED
    if not state and row.attempts >= ATTEMPTS_MAX:
        state = FAILED
    return state


def open_message(row: MessageRow) -> tuple[str, dict[str, Any]]:
    """Return whom a message is for and its values.

    Raises: SealBroken.
    """
    to = _open(row, "recipient_sealed", row.recipient_sealed)
    return to, json.loads(_open(row, "values_sealed", row.values_sealed))


def _hold(work: Work, row: MessageRow, *, repeats: bool) -> Parcel | None:
    try:
        to, values = open_message(row)
    except SealBroken:
        close_unopened(work, row, NOT_OPENED, FAILED)
        return None
    if row.queue != CODES:
        stopped = stopped_address(work, row.channel, to, "")
        reason = find_reason(work, row.queue, LETTERS[row.template], stopped)
        if reason:
            close_unopened(work, row, f"nothing is sent to this address: {reason}", SUPPRESSED)
            return None
    row.state = SENDING
    row.attempts += 1
    row.leased_until = work.at + LEASE
    row.due_at = row.leased_until
    return make_parcel(work, row, to, values, repeats=repeats)


def close_unopened(work: Work, row: MessageRow, why: str, state: str) -> None:
    """Close a message that is not even begun.

    Locks: its run.
    """
    row.last_error = why
    close(work, row, state)


def make_parcel(
    work: Work,
    row: MessageRow,
    to: str,
    values: dict[str, Any],
    *,
    repeats: bool,
    attempt: int | None = None,
) -> Parcel:
    """Return a message as it is handed over, or asked for.

    ``attempt`` is the number of the attempt that is to come, where it has not begun yet.
    """
    envelope = values.pop(ENVELOPE, {})
    head = _letterhead_of(work, row)
    stop_token_of_it = ""
    if row.queue in BULK and row.channel == "mail" and LETTERS[row.template].may_be_stopped:
        stop_token_of_it = stop_token(row.tenant_id, row.channel, to)
    return Parcel(
        id=row.id,
        tenant_id=row.tenant_id,
        channel=row.channel,
        queue=row.queue,
        template=row.template,
        attempt=row.attempts if attempt is None else attempt,
        repeats=repeats,
        at=work.at,
        asks_first=row.asks_first,
        begun_at=row.created_at,
        to=to,
        written=write(
            row.template,
            row.channel,
            values,
            locale=row.locale,
            zone=tenancy.get_tenant(row.tenant_id).zone,
            wording=wording_in(head.wordings, row.locale, row.template) if head else None,
            stop_link=stop_page(stop_token_of_it) if stop_token_of_it else "",
        ),
        stop_address=stop_hook(stop_token_of_it) if stop_token_of_it else "",
        sender=head.sender if head else "",
        sender_name=envelope.get("sender_name")
        or (head.sender_names.get(row.locale, "") if head else ""),
        reply_to=envelope.get("reply_to") or (head.reply_to if head else ""),
        return_path=head.return_path if head else "",
        picture=envelope.get("picture", ""),
    )


def _letterhead_of(work: Work, row: MessageRow) -> LetterheadRow | None:
    """Return what a tenant's letters are written on; a code does not depend on it."""
    if row.queue == CODES:
        return None
    kept = work.session.info  # most tenants have none, and that is not remembered otherwise
    if LetterheadRow not in kept:
        kept[LetterheadRow] = work.session.get(LetterheadRow, row.tenant_id)
    head: LetterheadRow | None = kept[LetterheadRow]
    return head


def _open(row: MessageRow, column: str, sealed: bytes | None) -> str:
    if sealed is None:
        message = f"{column} is gone"
        raise SealBroken(message)
    return tenancy.open_text(row.tenant_id, message_place(row.tenant_id, row.id, column), sealed)


def finish_sending(work: Work, parcel: Parcel, outcome: Outcome) -> str:
    """Write down how an attempt ended and return the state that follows from it.

    An attempt that took so long that another one has begun changes nothing any more.
    Locks: the message, its run.
    Publishes: message.sent_v1, message.given_up_v1 or message.unknown_v1, with a reference.
    """
    row = lock_message(work, parcel.id)
    if row is None or row.state != SENDING or row.attempts != parcel.attempt:
        if row is not None and row.state in TAKEN_BY_PROVIDER:  # its receipt was quicker
            row.provider_id = row.provider_id or outcome.provider_id
        return SENT if row is None else row.state
    state = state_after(outcome, repeats=parcel.repeats, attempts=row.attempts)
    row.last_error = outcome.reason
    if state == SENT:
        row.provider_id, row.sent_at = outcome.provider_id, work.at
    if state == QUEUED:
        row.state, row.leased_until = state, None
        wait = bulk_wait if row.queue in BULK else late_wait
        row.due_at = work.at + wait(row.attempts)
    else:
        close(work, row, state)
    return state


def put_back(work: Work) -> int:
    """Put open messages that nothing has moved on their queues again; return how many.

    Locks: the messages, skipping those that somebody sends just now.
    """
    count = 0
    for queue in SINGLE:
        due = (
            sa.select(MessageRow)
            .where(
                MessageRow.tenant_id == work.tenant_id,
                MessageRow.queue == queue,
                MessageRow.run_id.is_(None),
                MessageRow.due_at <= work.at,
            )
            .order_by(MessageRow.due_at)
            .limit(PUT_BACK_MAX - count)
            .with_for_update(skip_locked=True)
        )
        rows = list(work.session.execute(due).scalars())
        for row in rows:
            row.due_at = work.at + OVERLOOKED
        publish_due(work, queue, [row.id for row in rows])
        count += len(rows)
    return count


def purge(work: Work) -> int:
    """Delete messages that are kept no longer, and what is left of runs; return how many."""
    old = (
        sa.select(MessageRow.id)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.delete_after < work.at)
        .limit(PURGE_MAX)
    )
    deleted = work.session.execute(
        sa.delete(MessageRow)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.id.in_(old.scalar_subquery()))
        .returning(MessageRow.run_id, MessageRow.state)
    ).all()
    # What waited in a run that nobody has resumed will not be sent any more.
    left = Counter(run_id for run_id, state in deleted if run_id is not None and state in OPEN)
    for run_id, count in sorted(left.items()):
        note_change(work, run_id, before=QUEUED, after=EXPIRED, count=count)
    purge_runs(work)
    purge_suppressions(work)
    return len(deleted)
