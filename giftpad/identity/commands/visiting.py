"""How a visit ends on record: in the tenant that was visited, once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.identity.models import VisitRow
from giftpad.identity.queries import person_actor
from giftpad.kernel.work import Scope, Work, unit_of_work


def close_visit(tenant_id: UUID, visit_id: UUID, person_id: UUID) -> None:
    """Note that an operator has left a tenant, unless the visit is over already.

    Locks: the visit.
    """
    actor = person_actor(person_id, None, visit_id)
    with unit_of_work(Scope(tenant_id=tenant_id, actor=actor)) as work:
        visit = lock_visit(work, visit_id)
        if visit is not None and visit.ended_at is None:
            note_end(work, visit, work.at)


def lock_visit(work: Work, visit_id: UUID) -> VisitRow | None:
    """Return a visit of a tenant as it stays until the end of ``work``.

    Locks: its row.
    """
    return work.session.scalars(
        sa.select(VisitRow)
        .where(VisitRow.tenant_id == work.tenant_id, VisitRow.id == visit_id)
        .with_for_update()
    ).one_or_none()


def note_end(work: Work, visit: VisitRow, at: datetime) -> None:
    """Put on record that a visit is over since ``at``, or since its last moment."""
    visit.ended_at = min(at, visit.ends_at)
    audit.record(
        work,
        action="visit.ended",
        subject=f"person:{visit.person_id}",
        details={"visit": str(visit.id), "ended_at": visit.ended_at.isoformat()},
    )
