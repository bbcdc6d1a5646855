"""Machine clients: whether one has proved itself, and which a tenant has."""

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
from giftpad.identity.rules import Granted, Limits, is_secret
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


def authenticate_client(client_id: str, secret: str) -> Granted:
    """Return what the client may do, if the secret is its own.

    The work is the same for an unknown client and for a wrong secret.  It reads the platform and
    then the client's tenant, each in a transaction of its own.
    Raises: ClientRefused.
    """
    asked = client_id if _CLIENT_ID.fullmatch(client_id) else ""
    with unit_of_work(PLATFORM) as work:
        client = work.session.get(models.ClientRow, (work.tenant_id, asked))
    home_id = client.home_tenant_id if client is not None else PLATFORM.tenant_id
    with unit_of_work(Scope(tenant_id=home_id)) as work:
        grant = work.session.get(models.ClientGrantRow, (work.tenant_id, asked))
    is_right = is_secret(secret, client.secret_hash if client is not None else NO_HASH)
    tenant = tenancy.find_tenant(home_id)
    if (
        not is_right
        or client is None
        or client.disabled_at is not None
        or grant is None
        or grant.disabled_at is not None
        or tenant is None
        or tenant.is_suspended
    ):
        raise ClientRefused
    return Granted(
        client_id=client.id,
        tenant_id=tenant.id,
        org_id=tenant.org_id,
        permissions=frozenset(grant.permissions),
        shop_id=grant.shop_id,
        limits=Limits(**grant.limits),
    )


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
