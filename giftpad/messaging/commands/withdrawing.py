"""Letters that shall not leave any more, because whoever asked for them has changed their mind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from giftpad.kernel.work import Work
from giftpad.messaging.commands.runs import note_change
from giftpad.messaging.models import MessageRow
from giftpad.messaging.rules.sending import AT_A_LOSS, EXPIRED, QUEUED, SENDING, SUPPRESSED

WITHDRAWN = "withdrawn before it was sent"


def lock_letters(work: Work, message_ids: Sequence[UUID]) -> None:
    """Hold messages that are withdrawn bit by bit: once a run is locked, none may be waited for.

    Locks: the messages in the order of their ids.
    """
    _lock(work, message_ids)


def withdraw_many(work: Work, message_ids: Sequence[UUID]) -> list[UUID]:
    """See that messages leave no more, and return those that certainly nobody has got.

    What waits is closed, what failed cannot be sent again, and what is being handed over at this
    moment is not tried once more.  Of none of them an event tells: whoever withdraws knows.
    Locks: the messages in the order of their ids, then their runs.
    """
    rows = _lock(work, message_ids)
    unseen, closed = [], Counter[UUID | None]()
    for row in rows:
        if _is_unseen(row):
            unseen.append(row.id)
        if row.state == SENDING:
            row.send_before = work.at
        if row.state in AT_A_LOSS:
            row.values_sealed = None
        if row.state == QUEUED:
            row.state, row.due_at, row.asks_first = EXPIRED, None, False
            row.values_sealed, row.last_error, row.told_at = None, WITHDRAWN, work.at
            closed[row.run_id] += 1
    work.session.flush()  # the runs are locked last
    for run_id, count in closed.items():
        note_change(work, run_id, before=QUEUED, after=EXPIRED, count=count)
    return unseen


def _lock(work: Work, message_ids: Sequence[UUID]) -> Sequence[MessageRow]:
    return work.session.scalars(
        sa.select(MessageRow)
        .where(
            MessageRow.tenant_id == work.tenant_id,
            MessageRow.id == sa.any_(sa.cast(list(message_ids), ARRAY(sa.Uuid))),
        )
        .order_by(MessageRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _is_unseen(row: MessageRow) -> bool:
    """Whether no attempt at a message was ever begun; one that was sent again has a past."""
    if row.attempts or row.asks_first:
        return False
    return row.state == SUPPRESSED or (row.state == QUEUED and not row.last_error)
