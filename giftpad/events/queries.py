"""What is pending, what is dead, and whether every event has had its effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad.events.models import EventFailure, InboxReceipt, OutboxEvent
from giftpad.events.rules import list_subscriptions
from giftpad.kernel.work import Work

DEAD_PAGE_MAX = 200
RECONCILE_MAX = 10_000
GRACE = timedelta(minutes=2)
"""An event younger than this may still be on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that one handler has given up on."""

    event_id: UUID
    name: str
    object_id: UUID
    handler: str
    tries: int
    error: str
    failed_at: datetime


def list_dead(work: Work) -> list[DeadLetter]:
    """Return the dead letters, oldest first, at most ``DEAD_PAGE_MAX``."""
    rows = work.session.execute(
        sa.select(
            OutboxEvent.id,
            OutboxEvent.name,
            OutboxEvent.object_id,
            EventFailure.handler,
            EventFailure.tries,
            EventFailure.error,
            EventFailure.failed_at,
        )
        .join(
            InboxReceipt,
            (InboxReceipt.tenant_id == OutboxEvent.tenant_id)
            & (InboxReceipt.event_id == OutboxEvent.id),
        )
        .join(
            EventFailure,
            (EventFailure.tenant_id == OutboxEvent.tenant_id)
            & (EventFailure.event_id == OutboxEvent.id)
            & (EventFailure.handler == InboxReceipt.handler),
        )
        .where(OutboxEvent.tenant_id == work.tenant_id, InboxReceipt.outcome == "dead")
        .order_by(OutboxEvent.id)
        .limit(DEAD_PAGE_MAX)
    )
    return [
        DeadLetter(
            event_id=row[0],
            name=row[1],
            object_id=row[2],
            handler=row[3],
            tries=row[4],
            error=row[5],
            failed_at=row[6],
        )
        for row in rows
    ]


def count_pending(work: Work) -> int:
    """Return how many events wait for a handler."""
    return work.session.execute(
        sa.select(sa.func.count()).where(
            OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.done_at.is_(None)
        )
    ).scalar_one()


def count_dead(work: Work) -> int:
    """Return how many deliveries were given up: one for each event and handler."""
    return work.session.execute(
        sa.select(sa.func.count()).where(
            InboxReceipt.tenant_id == work.tenant_id, InboxReceipt.outcome == "dead"
        )
    ).scalar_one()


def find_oldest_untaken(work: Work, name: str, handler: str) -> UUID | None:
    """Return the first object, by id, whose event of this name a handler may not have taken.

    It waits still, or the handler has given up on it, which closes the event for the relay only.
    """
    wanted = (OutboxEvent.tenant_id == work.tenant_id, OutboxEvent.name == name)
    object_id: sa.ColumnElement[UUID] = OutboxEvent.object_id  # type: ignore[assignment] # a column
    first = sa.select(object_id.label("id")).where(*wanted).order_by(object_id).limit(1)
    waiting = first.where(OutboxEvent.done_at.is_(None)).subquery()
    dead = (
        first.join(
            InboxReceipt,
            (InboxReceipt.tenant_id == OutboxEvent.tenant_id)
            & (InboxReceipt.event_id == OutboxEvent.id),
        )
        .where(InboxReceipt.outcome == "dead", InboxReceipt.handler == handler)
        .subquery()
    )
    both = sa.union_all(sa.select(waiting.c.id), sa.select(dead.c.id)).subquery()
    return work.session.execute(sa.select(both.c.id).order_by(both.c.id).limit(1)).scalar()


def reconcile(work: Work, *, grace: timedelta = GRACE) -> list[tuple[UUID, str]]:
    """Return event and handler wherever a settled event lacks a receipt, by counting both sides.

    It does not trust ``done_at``: an event older than ``grace`` must have one receipt from every
    handler that listens to it now.  A dead letter has its receipt; ``count_dead`` counts those.
    """
    names = work.session.execute(
        sa.select(OutboxEvent.name).where(OutboxEvent.tenant_id == work.tenant_id).distinct()
    ).scalars()
    missing: list[tuple[UUID, str]] = []
    for name in list(names):
        for subscription in list_subscriptions(name):
            receipt = (
                sa.select(InboxReceipt.event_id)
                .where(
                    InboxReceipt.tenant_id == OutboxEvent.tenant_id,
                    InboxReceipt.event_id == OutboxEvent.id,
                    InboxReceipt.handler == subscription.name,
                )
                .exists()
            )
            rows = work.session.execute(
                sa.select(OutboxEvent.id)
                .where(
                    OutboxEvent.tenant_id == work.tenant_id,
                    OutboxEvent.name == name,
                    OutboxEvent.created_at <= sa.func.now() - grace,
                    ~receipt,
                )
                .limit(RECONCILE_MAX)
            ).scalars()
            missing += [(event_id, subscription.name) for event_id in rows]
    return missing
