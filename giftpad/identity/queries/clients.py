"""Clients: whether one has proved itself, and which a tenant has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.identity import models
from giftpad.identity.errors import ClientRefused
from giftpad.identity.queries.trust import PLATFORM
from giftpad.identity.rules import OUR_PROFILE, Granted, Limits
from giftpad.kernel.bearer import is_secret
from giftpad.kernel.work import Scope, Work, unit_of_work

CLIENTS_MAX = 1000
NO_HASH = bytes(32)
_CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientView:
    """A machine client of one tenant."""

    client_id: str
    name: str
    permissions: tuple[str, ...]
    shop_id: UUID | None
    limits: Limits
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How a client was registered: its type, and the addresses and the API that it named."""

    kind: str
    redirect_uris: tuple[str, ...]
    logout_uris: tuple[str, ...]
    origins: tuple[str, ...]
    audience: str


def authenticate_client(client_id: str, secret: str) -> Granted:
    """Return what a client may do, if the secret is its own; some have none, and must show none.

    The work is the same for an unknown client and for a wrong secret.
    Raises: ClientRefused.
    """
    client, grant, profile = _read_client(client_id)
    known = client.secret_hash if client is not None else NO_HASH
    is_right = is_secret(secret, known or NO_HASH) if known is not None else not secret
    granted = _to_granted(client, grant, profile)
    if not is_right or granted is None:
        raise ClientRefused
    return granted


def find_client(client_id: str) -> Granted | None:
    """Return a client that may be used, without any proof that it is here."""
    return _to_granted(*_read_client(client_id))


def _read_client(
    client_id: str,
) -> tuple[models.ClientRow | None, models.ClientGrantRow | None, str]:
    """Read the platform and then the client's tenant, each in a transaction of its own."""
    asked = client_id if _CLIENT_ID.fullmatch(client_id) else ""
    profile = OUR_PROFILE
    with unit_of_work(PLATFORM) as work:
        client = work.session.get(models.ClientRow, (work.tenant_id, asked))
        if client is not None and client.audience:
            api = work.session.get(models.ApiRow, (work.tenant_id, client.audience))
            profile = api.token_profile if api is not None else profile
    home_id = client.home_tenant_id if client is not None else PLATFORM.tenant_id
    with unit_of_work(Scope(tenant_id=home_id)) as work:
        grant = work.session.get(models.ClientGrantRow, (work.tenant_id, asked))
    return client, grant, profile


def _to_granted(
    client: models.ClientRow | None, grant: models.ClientGrantRow | None, profile: str
) -> Granted | None:
    if client is None or client.disabled_at is not None:
        return None
    tenant = tenancy.find_tenant(client.home_tenant_id)
    if grant is None or grant.disabled_at is not None or tenant is None or tenant.is_suspended:
        return None
    return Granted(
        client_id=client.id,
        tenant_id=tenant.id,
        org_id=tenant.org_id,
        permissions=frozenset(grant.permissions),
        shop_id=grant.shop_id,
        limits=Limits(**grant.limits),
        kind=client.kind,
        name=grant.name,
        redirect_uris=tuple(client.redirect_uris),
        logout_uris=tuple(client.logout_uris),
        origins=tuple(client.origins),
        audience=client.audience,
        token_profile=profile,
        leeway_s=client.leeway_s,
        needs_challenge=client.needs_challenge,
    )


def is_known_origin(origin: str) -> bool:
    """Whether the scripts of an origin may call us: a client that is used names it."""
    row = models.ClientRow
    with unit_of_work(PLATFORM) as work:
        found = work.session.execute(
            sa.select(row.id)
            .where(
                row.tenant_id == work.tenant_id,
                row.disabled_at.is_(None),
                row.origins.contains([origin]),
            )
            .limit(1)
        ).first()
    return found is not None


def list_clients(work: Work) -> list[ClientView]:
    """Return the machine clients of a tenant, oldest first."""
    row = models.ClientGrantRow
    found = work.session.scalars(
        sa.select(row)
        .where(row.tenant_id == work.tenant_id)
        .order_by(row.created_at, row.client_id)
        .limit(CLIENTS_MAX)
    )
    return [
        ClientView(
            client_id=grant.client_id,
            name=grant.name,
            permissions=tuple(grant.permissions),
            shop_id=grant.shop_id,
            limits=Limits(**grant.limits),
            created_at=grant.created_at,
            disabled_at=grant.disabled_at,
        )
        for grant in found
    ]


def list_registrations(tenant_id: UUID) -> dict[str, Registration]:
    """Return how the clients of a tenant were registered, by their ids."""
    row = models.ClientRow
    with unit_of_work(PLATFORM) as work:
        found = work.session.scalars(
            sa.select(row)
            .where(row.tenant_id == work.tenant_id, row.home_tenant_id == tenant_id)
            .order_by(row.created_at, row.id)
            .limit(CLIENTS_MAX)
        )
        return {
            client.id: Registration(
                kind=client.kind,
                redirect_uris=tuple(client.redirect_uris),
                logout_uris=tuple(client.logout_uris),
                origins=tuple(client.origins),
                audience=client.audience,
            )
            for client in found
        }
