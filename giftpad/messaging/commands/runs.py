"""Runs: opened, paused, resumed, and counted with each message that changes its state."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed
from giftpad.messaging.commands.due import wake_bulk
from giftpad.messaging.errors import RunNotFound
from giftpad.messaging.models import RunMinuteRow, RunRow
from giftpad.messaging.queries import rests_until
from giftpad.messaging.rules.runs import MINUTES_KEPT, minute_of
from giftpad.messaging.rules.sending import BULK, CLOSED, OPEN

KEPT = timedelta(days=400)


def open_run(
    work: Work,
    *,
    name: str,
    reference: UUID | None = None,
    quiet: tuple[time, time] | None = None,
) -> UUID:
    """Open a run for messages that are sent off together; ``reference`` is what they are about.

    ``quiet``: from when until when, in the tenant's zone, none of them leaves.
    """
    run_id = new_id()
    work.session.execute(
        insert(RunRow).values(
            tenant_id=work.tenant_id,
            id=run_id,
            name=name,
            reference=reference,
            opened_at=work.at,
            quiet_from=quiet[0] if quiet is not None else None,
            quiet_until=quiet[1] if quiet is not None else None,
            delete_after=work.at + KEPT,
        )
    )
    return run_id


def is_going(work: Work, run: RunRow) -> bool:
    """Whether messages of a run leave now: nobody has paused it, and no hour of rest has."""
    return run.paused_at is None and rests_until(work, run) is None


def pause_run(work: Work, run_id: UUID) -> bool:
    """Let no more messages of a run leave; False if it was paused already.

    What is being handed over at this moment still goes.
    Locks: the run.
    Raises: RunNotFound.
    """
    run = _lock(work, run_id)
    if run.paused_at is not None:
        return False
    run.paused_at = work.at
    _record(work, run, "paused")
    return True


def resume_run(work: Work, run_id: UUID) -> bool:
    """Let messages of a run leave again; False if it was not paused.

    Locks: the run.
    Raises: RunNotFound.
    Publishes: message.bulk_mail_due_v1, message.bulk_sms_due_v1.
    """
    run = _lock(work, run_id)
    if run.paused_at is None:
        return False
    run.paused_at = None
    # The speed before the pause says nothing of the end, since the pause is part of it.
    work.session.execute(
        sa.delete(RunMinuteRow).where(
            RunMinuteRow.tenant_id == work.tenant_id, RunMinuteRow.run_id == run_id
        )
    )
    for queue in BULK:
        wake_bulk(work, queue, run.total)
    _record(work, run, "resumed")
    return True


def lock_run(work: Work, run_id: UUID) -> None:
    """Hold a run to which messages are added later, so that nothing is locked before it then.

    Locks: the run.
    Raises: RunNotFound.
    """
    _lock(work, run_id)


def wake_run(work: Work, run_id: UUID) -> None:
    """Have the queues look at what waits of a run once more; nothing is sent twice by that.

    Raises: RunNotFound.
    Publishes: message.bulk_mail_due_v1, message.bulk_sms_due_v1.
    """
    run = _lock(work, run_id)
    for queue in BULK:
        wake_bulk(work, queue, run.total)


def _lock(work: Work, run_id: UUID) -> RunRow:
    row = work.session.execute(
        sa.select(RunRow)
        .where(RunRow.tenant_id == work.tenant_id, RunRow.id == run_id)
        .with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise RunNotFound
    return row


def _record(work: Work, run: RunRow, what: str) -> None:
    audit.record(
        work,
        action=f"message_run.{what}",
        subject=f"message_run:{run.id}",
        details={"name": run.name},
    )


def add_to_run(work: Work, run_id: UUID, count: int) -> None:
    """Count messages that were added to a run.

    Locks: the run.
    Raises: RunNotFound.
    """
    added = work.session.execute(
        sa.update(RunRow)
        .where(RunRow.tenant_id == work.tenant_id, RunRow.id == run_id)
        .values(total=RunRow.total + count)
    )
    if rows_changed(added) != 1:
        raise RunNotFound


def note_change(
    work: Work, run_id: UUID | None, *, before: str, after: str, count: int = 1
) -> None:
    """Count that a message of a run, or ``count`` of them, went from one state to another.

    Locks: the run; nothing is locked after it.
    """
    if run_id is None or before == after or (before in OPEN and after in OPEN):
        return
    moved = {
        state: getattr(RunRow, state) + step
        for state, step in ((before, -count), (after, count))
        if state in CLOSED
    }
    work.session.execute(
        sa.update(RunRow)
        .where(RunRow.tenant_id == work.tenant_id, RunRow.id == run_id)
        .values(moved)
    )
    if before in OPEN:
        minute = insert(RunMinuteRow).values(
            tenant_id=work.tenant_id,
            run_id=run_id,
            minute=minute_of(work.at),
            began_at=work.at,
            done=count,
        )
        work.session.execute(
            minute.on_conflict_do_update(
                index_elements=["tenant_id", "run_id", "minute"],
                set_={"done": RunMinuteRow.done + count},
            )
        )


def purge_runs(work: Work) -> None:
    """Delete runs that are kept no longer, and minutes that no estimate looks at."""
    work.session.execute(
        sa.delete(RunRow).where(RunRow.tenant_id == work.tenant_id, RunRow.delete_after < work.at)
    )
    work.session.execute(
        sa.delete(RunMinuteRow).where(
            RunMinuteRow.tenant_id == work.tenant_id,
            RunMinuteRow.minute < work.at - MINUTES_KEPT,
        )
    )
