"""Connections of tenants to their own identity providers, and who has linked an account there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.identity.models import ConnectionRow, LinkRow
from giftpad.identity.queries.trust import PLATFORM, issuer
from giftpad.identity.rules import CALLBACK_PATH
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Scope, Work, unit_of_work

CONNECTIONS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """A tenant's own identity provider, without the secret."""

    id: UUID
    tenant_id: UUID
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    secret_in: str
    algorithms: tuple[str, ...]
    scopes: tuple[str, ...]
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    promises_issuer: bool
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """An account at a tenant's provider that a person has linked."""

    connection_id: UUID
    tenant_id: UUID
    created_at: datetime
    used_at: datetime | None


def callback_address() -> str:
    """Return where every provider sends people back to."""
    return issuer().address + CALLBACK_PATH


def list_connections(scope: Scope, *, but_disabled: bool = False) -> list[ConnectionView]:
    """Return the connections of a tenant, oldest first."""
    row = ConnectionRow
    with unit_of_work(scope) as work:
        wanted = sa.select(row).where(row.tenant_id == work.tenant_id)
        if but_disabled:
            wanted = wanted.where(row.disabled_at.is_(None))
        found = work.session.scalars(wanted.order_by(row.created_at, row.id).limit(CONNECTIONS_MAX))
        return [to_connection(each) for each in found]


def find_connection(tenant_id: UUID, connection_id: UUID) -> ConnectionView | None:
    """Return a connection that is in use, of a tenant that is open."""
    tenant = tenancy.find_tenant(tenant_id)
    if tenant is None or tenant.is_suspended:
        return None
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        row = work.session.get(ConnectionRow, (work.tenant_id, connection_id))
        return to_connection(row) if row is not None and row.disabled_at is None else None


def to_connection(row: ConnectionRow) -> ConnectionView:
    """Return what a row says, but for the secret."""
    return ConnectionView(
        id=row.id,
        tenant_id=row.tenant_id,
        name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        has_secret=row.secret_sealed is not None,
        secret_in=row.secret_in,
        algorithms=tuple(row.algorithms),
        scopes=tuple(row.scopes),
        authorization_endpoint=row.authorization_endpoint,
        token_endpoint=row.token_endpoint,
        jwks_uri=row.jwks_uri,
        promises_issuer=row.promises_issuer,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def secret_place(tenant_id: UUID, connection_id: UUID) -> str:
    """Name the place of a connection's sealed secret."""
    return column_place(tenant_id, ConnectionRow.__tablename__, "secret_sealed", connection_id)


def index_subject(connection_id: UUID, subject: str) -> bytes:
    """Return what finds the link of an account: one of another connection has another."""
    return tenancy.index_text(PLATFORM.tenant_id, f"link:{connection_id}:{subject}")


def find_linked(connection_id: UUID, subject: str) -> UUID | None:
    """Return who has linked an account at a provider."""
    index = index_subject(connection_id, subject)
    with unit_of_work(PLATFORM) as work:
        row = work.session.get(LinkRow, (work.tenant_id, connection_id, index))
        return row.person_id if row is not None else None


def lock_link(work: Work, person_id: UUID, connection_id: UUID) -> LinkRow | None:
    """Return the link of a person, as it stays until the end of ``work``.

    Locks: the row.
    """
    return work.session.scalars(
        sa.select(LinkRow)
        .where(
            LinkRow.tenant_id == work.tenant_id,
            LinkRow.connection_id == connection_id,
            LinkRow.person_id == person_id,
        )
        .with_for_update()
    ).one_or_none()


def list_links(person_id: UUID) -> list[LinkView]:
    """Return the accounts that a person has linked, in every tenant, oldest first."""
    with unit_of_work(PLATFORM) as work:
        rows = work.session.scalars(
            sa.select(LinkRow)
            .where(LinkRow.tenant_id == work.tenant_id, LinkRow.person_id == person_id)
            .order_by(LinkRow.created_at, LinkRow.connection_id)
        )
        return [
            LinkView(
                connection_id=row.connection_id,
                tenant_id=row.home_tenant_id,
                created_at=row.created_at,
                used_at=row.used_at,
            )
            for row in rows
        ]


def name_connections(wanted: Collection[tuple[UUID, UUID]]) -> dict[UUID, str]:
    """Return what connections are called, by id, disabled ones too; each with its tenant's id."""
    names: dict[UUID, str] = {}
    for tenant_id in {tenant_id for tenant_id, _ in wanted}:
        with unit_of_work(Scope(tenant_id=tenant_id)) as work:
            found = work.session.execute(
                sa.select(ConnectionRow.id, ConnectionRow.name).where(
                    ConnectionRow.tenant_id == work.tenant_id,
                    ConnectionRow.id.in_([each for at, each in wanted if at == tenant_id]),
                )
            )
            names |= {row.id: row.name for row in found}
    return names
