"""Memberships and sessions of a person, wherever they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.identity.models import MembershipRow, SessionRow
from giftpad.identity.queries.trust import PLATFORM
from giftpad.identity.rules import SESSION_IDLE_S, Membership
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
    agent: str
    created_at: datetime
    seen_at: datetime


def person_actor(person_id: UUID, shop_id: UUID | None = None) -> Actor:
    """Return a person as the one who does something."""
    return Actor(kind="person", id=str(person_id), client_id=f"person:{person_id}", shop_id=shop_id)


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
    """Return a membership, unless it or its tenant is here no more."""
    tenant = tenancy.find_tenant(tenant_id)
    if tenant is None or tenant.is_suspended:
        return None
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        row = work.session.get(MembershipRow, (work.tenant_id, membership_id))
    return _to_membership(row, tenant) if row is not None else None


def list_memberships(person_id: UUID) -> list[Membership]:
    """Return the roles of a person in every tenant that is open, by tenant and age.

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
        return [
            SessionView(
                id=row.id,
                tenant_id=row.home_tenant_id,
                agent=row.agent,
                created_at=row.created_at,
                seen_at=row.seen_at,
            )
            for row in rows
        ]
