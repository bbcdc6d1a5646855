"""Bulk: many messages held at once for one worker, and how many workers there may be.

Hides: which run's turn it is.  A held message is still queued; only the one that is being handed
over is marked so.  A worker that dies leaves one of them unknown and not fifty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad.kernel.work import Work
from giftpad.messaging.commands.due import wake_bulk
from giftpad.messaging.commands.runs import is_going
from giftpad.messaging.models import LineRow, MessageRow, RunRow
from giftpad.messaging.rules.sending import BULK, CLOSED, HELD_MAX, LEASE, LINES_MAX, QUEUED


@dataclass(frozen=True, slots=True)
class Held:
    """Messages that one worker may send, and until when nobody else takes them."""

    ids: tuple[UUID, ...]
    until: datetime


def take_line(work: Work, queue: str) -> int | None:
    """Take a place for sending one tenant's bulk; None if all are taken.

    Locks: the place.
    """
    for _ in range(2):
        free = (
            sa.select(LineRow)
            .where(
                LineRow.tenant_id == work.tenant_id,
                LineRow.queue == queue,
                sa.or_(LineRow.held_until.is_(None), LineRow.held_until <= work.at),
            )
            .order_by(LineRow.number)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        line = work.session.execute(free).scalar_one_or_none()
        if line is not None:
            line.held_until = work.at + LEASE
            return line.number
        rows = [
            {"tenant_id": work.tenant_id, "queue": queue, "number": number}
            for number in range(LINES_MAX)
        ]
        work.session.execute(insert(LineRow).on_conflict_do_nothing(), rows)
    return None


def leave_line(work: Work, queue: str, number: int, *, goes_on: bool) -> None:
    """Give a place back; when more is to be sent, tell the next worker.

    Publishes: message.bulk_mail_due_v1 or message.bulk_sms_due_v1.
    """
    _set_line(work, queue, number, None)
    if goes_on:
        wake_bulk(work, queue, 1)


def _set_line(work: Work, queue: str, number: int, held_until: datetime | None) -> None:
    work.session.execute(
        sa.update(LineRow)
        .where(
            LineRow.tenant_id == work.tenant_id, LineRow.queue == queue, LineRow.number == number
        )
        .values(held_until=held_until)
    )


def hold_bulk(work: Work, queue: str, line: int) -> Held:
    """Hold messages of a bulk queue that are due, each run's share, and keep the place.

    Locks: the messages, skipping those that others hold.
    """
    until = work.at + LEASE
    _set_line(work, queue, line, until)
    runs = _going_runs(work)
    share = -(-HELD_MAX // len(runs))
    ids: list[UUID] = []
    for run_id in runs * 2:  # what one run leaves of its share the others have
        if len(ids) < HELD_MAX:
            most = min(share if len(runs) > 1 else HELD_MAX, HELD_MAX - len(ids))
            ids += _hold_of_run(work, queue, run_id, most=most, until=until)
    return Held(tuple(ids), until)


def _going_runs(work: Work) -> list[UUID | None]:
    """Return the runs that have something to send now, and None for what is in no run."""
    closed = sum((getattr(RunRow, state) for state in CLOSED), start=sa.literal(0))
    found = sa.select(RunRow).where(
        RunRow.tenant_id == work.tenant_id, RunRow.paused_at.is_(None), RunRow.total > closed
    )
    runs = work.session.execute(
        found.order_by(RunRow.id).execution_options(populate_existing=True)
    ).scalars()
    return [None, *(run.id for run in runs if is_going(work, run))]


def _hold_of_run(
    work: Work, queue: str, run_id: UUID | None, *, most: int, until: datetime
) -> list[UUID]:
    due = (
        sa.select(MessageRow.id)
        .where(
            MessageRow.tenant_id == work.tenant_id,
            MessageRow.queue == queue,
            MessageRow.run_id == run_id,
            MessageRow.due_at <= work.at,
        )
        .order_by(MessageRow.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    held = (
        sa.update(MessageRow)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.id == due.c.id)
        .values(due_at=until)
        .returning(MessageRow.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(work.session.execute(held).scalars())


def let_go(work: Work, message_ids: Sequence[UUID], until: datetime) -> None:
    """Let others have messages that were held and not begun.

    One that somebody withdraws just now is passed over: here the run is locked already.
    """
    mine = (
        sa.select(MessageRow.id)
        .where(
            MessageRow.tenant_id == work.tenant_id,
            MessageRow.id.in_(message_ids),
            MessageRow.state == QUEUED,
            MessageRow.due_at == until,
        )
        .with_for_update(skip_locked=True)
        .cte("mine")
    )
    work.session.execute(
        sa.update(MessageRow)
        .where(MessageRow.tenant_id == work.tenant_id, MessageRow.id == mine.c.id)
        .values(due_at=work.at)
        .execution_options(synchronize_session=False)
    )


def wake_due_bulk(work: Work) -> int:
    """Have bulk taken that is due, whoever has overlooked it; return on how many queues."""
    runs = _going_runs(work)
    count = 0
    for queue in BULK:
        due = sa.select(MessageRow.id).where(
            MessageRow.tenant_id == work.tenant_id,
            MessageRow.queue == queue,
            MessageRow.due_at <= work.at,
        )
        if any(
            work.session.execute(due.where(MessageRow.run_id == run_id).limit(1)).first()
            for run_id in runs
        ):
            wake_bulk(work, queue, 1)
            count += 1
    return count
