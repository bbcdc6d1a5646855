"""Memberships and sessions of a person, wherever they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.identity.models import MembershipRow, SessionRow, VisitRow
from giftpad.identity.queries.trust import PLATFORM
from giftpad.identity.rules import SESSION_IDLE_S, VISITS_AS, Membership
from giftpad.kernel.work import Actor, Scope, Work, unit_of_work

SESSIONS_SHOWN_MAX = 100
_MEMBERSHIPS = sa.text(
    "SELECT tenant_id, id, role, shop_id"
    " FROM identity_list_memberships(:tenant, CAST(:tenants AS uuid[]), :person)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A browser that a person is signed in with."""

    id: UUID
    tenant_id: UUID
    membership_id: UUID
    agent: str
    created_at: datetime
    seen_at: datetime
    proved_at: datetime
    """When its person last proved who they are."""
    amr: tuple[str, ...]
    connection_id: UUID | None = None
    """The connection that opened it; such a session is good in its own tenant only."""


def person_actor(
    person_id: UUID, shop_id: UUID | None = None, visit_id: UUID | None = None
) -> Actor:
    """Return a person as the one who does something, perhaps in a visit."""
    return Actor(
        kind="person",
        id=str(person_id),
        client_id=f"person:{person_id}",
        shop_id=shop_id,
        visit_id=visit_id,
    )


def _to_membership(row: MembershipRow, tenant: tenancy.Tenant) -> Membership:
    return Membership(
        id=row.id,
        person_id=row.person_id,
        tenant_id=tenant.id,
        org_id=tenant.org_id,
        role=row.role,
        shop_id=row.shop_id,
    )


def find_membership(tenant_id: UUID, membership_id: UUID) -> Membership | None:
    """Return a membership, unless it or its tenant is here no more; a visit while it lasts."""
    tenant = tenancy.find_tenant(tenant_id)
    if tenant is None or tenant.is_suspended:
        return None
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        row = work.session.get(MembershipRow, (work.tenant_id, membership_id))
        visit = (
            work.session.scalars(
                sa.select(VisitRow).where(is_visiting(work), VisitRow.id == membership_id)
            ).one_or_none()
            if row is None
            else None
        )
    if row is not None:
        return _to_membership(row, tenant)
    return _to_visiting(visit, tenant) if visit is not None else None


def is_visiting(work: Work) -> sa.ColumnElement[bool]:
    """Tell the visits of a tenant whose time is not over and that nobody has ended."""
    return sa.and_(
        VisitRow.tenant_id == work.tenant_id,
        VisitRow.ended_at.is_(None),
        VisitRow.ends_at > work.at,
    )


def _to_visiting(visit: VisitRow, tenant: tenancy.Tenant) -> Membership | None:
    """Return a visit as the role it is, while its person has the role they came with."""
    with unit_of_work(PLATFORM) as work:
        own = work.session.get(MembershipRow, (work.tenant_id, visit.from_membership_id))
    if own is None or (own.person_id, VISITS_AS.get(own.role)) != (visit.person_id, visit.role):
        return None
    return Membership(
        id=visit.id,
        person_id=visit.person_id,
        tenant_id=tenant.id,
        org_id=tenant.org_id,
        role=visit.role,
        shop_id=None,
        until=visit.ends_at,
        visits_from=visit.from_membership_id,
    )


def list_memberships(person_id: UUID) -> list[Membership]:
    """Return the roles of a person in every tenant that is open, by tenant and age; no visits.

    One call, in which the database looks into each tenant as itself: no role sees more than one.
    """
    tenants = {found.id: found for found in tenancy.list_tenants() if not found.is_suspended}
    with unit_of_work(PLATFORM) as work:
        rows = work.session.execute(
            _MEMBERSHIPS,
            {"tenant": work.tenant_id, "tenants": list(tenants), "person": person_id},
        ).all()
    return [
        Membership(
            id=row.id,
            person_id=person_id,
            tenant_id=row.tenant_id,
            org_id=tenants[row.tenant_id].org_id,
            role=row.role,
            shop_id=row.shop_id,
        )
        for row in rows
    ]


def is_running(work: Work) -> sa.ColumnElement[bool]:
    """Tell the sessions of the platform that have not ended in any way."""
    return sa.and_(
        SessionRow.tenant_id == work.tenant_id,
        SessionRow.revoked_at.is_(None),
        SessionRow.expires_at > work.at,
        SessionRow.seen_at > work.at - timedelta(seconds=SESSION_IDLE_S),
    )


def list_sessions(person_id: UUID) -> list[SessionView]:
    """Return the browsers that a person is signed in with, the last seen first."""
    with unit_of_work(PLATFORM) as work:
        rows = work.session.scalars(
            sa.select(SessionRow)
            .where(is_running(work), SessionRow.person_id == person_id)
            .order_by(SessionRow.seen_at.desc(), SessionRow.id.desc())
            .limit(SESSIONS_SHOWN_MAX)
        )
        return [_to_session(row) for row in rows]


def _to_session(row: SessionRow) -> SessionView:
    return SessionView(
        id=row.id,
        tenant_id=row.home_tenant_id,
        membership_id=row.membership_id,
        agent=row.agent,
        created_at=row.created_at,
        seen_at=row.seen_at,
        proved_at=proved_at_of(row),
        amr=tuple(row.amr),
        connection_id=row.connection_id,
    )


def find_running(work: Work, person_id: UUID, session_id: UUID) -> SessionRow | None:
    """Return the row of a session of a person that runs; ``work`` is of the platform tenant."""
    return work.session.scalars(
        sa.select(SessionRow).where(
            is_running(work), SessionRow.id == session_id, SessionRow.person_id == person_id
        )
    ).one_or_none()


def proved_at_of(row: SessionRow) -> datetime:
    """Return when the person of a session last proved who they are."""
    return row.proved_at or row.created_at


def find_session(person_id: UUID, session_id: UUID) -> SessionView | None:
    """Return a session of a person, unless it has ended."""
    with unit_of_work(PLATFORM) as work:
        row = work.session.scalars(
            sa.select(SessionRow).where(
                is_running(work), SessionRow.id == session_id, SessionRow.person_id == person_id
            )
        ).one_or_none()
    return _to_session(row) if row is not None else None
