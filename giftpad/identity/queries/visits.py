"""Who visits a tenant, as its owners and the visitors themselves see it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.identity.models import PersonRow, SessionRow, VisitRow
from giftpad.identity.queries.people import open_personal
from giftpad.identity.queries.sessions import is_running, is_visiting
from giftpad.identity.queries.trust import PLATFORM
from giftpad.kernel.work import Scope, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """An operator who is in a tenant for a while; ``name`` is theirs."""

    id: UUID
    person_id: UUID
    from_membership_id: UUID
    role: str
    reason: str
    began_at: datetime
    ends_at: datetime
    name: str = ""


def _to_view(row: VisitRow, name: str = "") -> VisitView:
    return VisitView(
        id=row.id,
        person_id=row.person_id,
        from_membership_id=row.from_membership_id,
        role=row.role,
        reason=row.reason,
        began_at=row.began_at,
        ends_at=row.ends_at,
        name=name,
    )


def find_visit(scope: Scope, visit_id: UUID) -> VisitView | None:
    """Return a visit of a tenant, over or not."""
    with unit_of_work(scope) as work:
        row = work.session.get(VisitRow, (work.tenant_id, visit_id))
    return _to_view(row) if row is not None else None


def list_visits(scope: Scope) -> list[VisitView]:
    """Return the visits of a tenant that last, oldest first: those whose person is signed in.

    It reads the tenant and then the platform, each in a transaction of its own.
    """
    with unit_of_work(scope) as work:
        rows = list(
            work.session.scalars(sa.select(VisitRow).where(is_visiting(work)).order_by(VisitRow.id))
        )
    running = running_of([row.id for row in rows])
    names = _names({row.person_id for row in rows})
    return [_to_view(row, names.get(row.person_id, "")) for row in rows if row.id in running]


def list_visitors(scope: Scope) -> dict[UUID, str]:
    """Return the names of those who have ever visited a tenant."""
    with unit_of_work(scope) as work:
        ids = work.session.scalars(
            sa.select(VisitRow.person_id).where(VisitRow.tenant_id == work.tenant_id).distinct()
        ).all()
    return _names(set(ids))


def running_of(visit_ids: Collection[UUID]) -> set[UUID]:
    """Return those of some visits whose session still runs."""
    if not visit_ids:
        return set()
    with unit_of_work(PLATFORM) as work:
        return set(
            work.session.scalars(
                sa.select(SessionRow.membership_id).where(
                    is_running(work), SessionRow.membership_id.in_(visit_ids)
                )
            )
        )


def _names(person_ids: Collection[UUID]) -> dict[UUID, str]:
    if not person_ids:
        return {}
    with unit_of_work(PLATFORM) as work:
        rows = work.session.execute(
            sa.select(PersonRow.id, PersonRow.name_sealed).where(
                PersonRow.tenant_id == work.tenant_id, PersonRow.id.in_(person_ids)
            )
        )
        return {row[0]: open_personal(row[0], "name_sealed", row[1]) for row in rows}
