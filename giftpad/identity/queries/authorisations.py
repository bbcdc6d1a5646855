"""What people have let clients do, as they see it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad.identity.models import AuthorisationRow, ClientGrantRow
from giftpad.identity.queries.trust import PLATFORM
from giftpad.identity.rules import REFRESH_IDLE_S
from giftpad.kernel.work import Scope, Work, unit_of_work

AUTHORISATIONS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorisationView:
    """A client that may act for a person; ``name`` is what its tenant calls it."""

    id: UUID
    tenant_id: UUID
    client_id: str
    name: str
    agent: str
    created_at: datetime
    seen_at: datetime


def is_live(work: Work) -> sa.ColumnElement[bool]:
    """Tell the authorisations of the platform that have not ended."""
    return sa.and_(
        AuthorisationRow.tenant_id == work.tenant_id,
        AuthorisationRow.revoked_at.is_(None),
        AuthorisationRow.expires_at > work.at,
    )


def list_authorisations(person_id: UUID) -> list[AuthorisationView]:
    """Return the clients that may go on acting for a person, the last seen first.

    Only those with offline access go on; the others end with their quarter of an hour.
    """
    row = AuthorisationRow
    with unit_of_work(PLATFORM) as work:
        found = list(
            work.session.scalars(
                sa.select(row)
                .where(
                    is_live(work),
                    row.person_id == person_id,
                    row.seen_at > work.at - timedelta(seconds=REFRESH_IDLE_S),
                    row.scope.contains("offline_access"),
                )
                .order_by(row.seen_at.desc(), row.id.desc())
                .limit(AUTHORISATIONS_SHOWN_MAX)
            )
        )
    names = {
        tenant_id: _names_in(tenant_id, {each.client_id for each in found})
        for tenant_id in {each.home_tenant_id for each in found}
    }
    return [
        AuthorisationView(
            id=each.id,
            tenant_id=each.home_tenant_id,
            client_id=each.client_id,
            name=names[each.home_tenant_id].get(each.client_id, each.client_id),
            agent=each.agent,
            created_at=each.created_at,
            seen_at=each.seen_at,
        )
        for each in found
    ]


def _names_in(tenant_id: UUID, client_ids: set[str]) -> dict[str, str]:
    grant = ClientGrantRow
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        rows = work.session.execute(
            sa.select(grant.client_id, grant.name).where(
                grant.tenant_id == work.tenant_id, grant.client_id.in_(client_ids)
            )
        )
        return {client_id: name for client_id, name in rows}  # noqa: C416 - rows are no pairs
