"""Machine clients: made with a secret that is shown once, and stopped at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.identity.commands.revocations import KEPT_FOR, revoke
from giftpad.identity.errors import ClientNotFound
from giftpad.identity.models import ClientGrantRow, ClientRow
from giftpad.identity.queries import PLATFORM
from giftpad.identity.rules import (
    DEFAULT_LIMITS,
    PERMISSIONS,
    Limits,
    check_limits,
    check_name,
    check_permissions,
    hash_secret,
    new_client_id,
    new_secret,
)
from giftpad.kernel.work import Scope, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """What one must say to make a client; one with a shop acts for that shop only."""

    name: str
    permissions: tuple[str, ...]
    shop_id: UUID | None = None
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client proves itself with; the secret exists nowhere else."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Credentials(client_id={self.client_id!r})"


def create_client(scope: Scope, new: NewClient) -> Credentials:
    """Make a machine client of the scope's tenant.

    The platform's row comes first, in a transaction of its own: without its grant a client can
    do nothing, so a crash between the two leaves nobody with a right.
    Raises: NameUnfit, PermissionUnknown, LimitsInvalid.
    """
    name = check_name(new.name)
    allowed = check_permissions(new.permissions)
    check_limits(new.limits)
    made = Credentials(client_id=new_client_id(), client_secret=new_secret())
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        work.session.add(
            ClientRow(
                tenant_id=work.tenant_id,
                id=made.client_id,
                home_tenant_id=scope.tenant_id,
                secret_hash=hash_secret(made.client_secret),
                created_at=work.at,
            )
        )
    ordered = [permission for permission in PERMISSIONS if permission in allowed]
    with unit_of_work(scope) as work:
        work.session.add(
            ClientGrantRow(
                tenant_id=work.tenant_id,
                client_id=made.client_id,
                name=name,
                permissions=ordered,
                shop_id=new.shop_id,
                limits=asdict(new.limits),
                created_at=work.at,
            )
        )
        details = {"permissions": ordered, "shop_id": str(new.shop_id) if new.shop_id else None}
        audit.record(
            work, action="client.created", subject=f"client:{made.client_id}", details=details
        )
    return made


def disable_client(scope: Scope, client_id: str) -> None:
    """Stop a client of the scope's tenant: no new token, and its old ones within 30 seconds.

    The platform's part comes first and is what counts; doing it again repairs a half-done one.
    Raises: ClientNotFound.
    """
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        client = work.session.get(ClientRow, (work.tenant_id, client_id), with_for_update=True)
        if client is None or client.home_tenant_id != scope.tenant_id:
            raise ClientNotFound
        client.disabled_at = client.disabled_at or work.at
        revoke(work, "client", client_id, kept_until=work.at + KEPT_FOR)
    with unit_of_work(scope) as work:
        stopped = work.session.execute(
            sa.update(ClientGrantRow)
            .where(
                ClientGrantRow.tenant_id == work.tenant_id,
                ClientGrantRow.client_id == client_id,
                ClientGrantRow.disabled_at.is_(None),
            )
            .values(disabled_at=work.at)
            .returning(ClientGrantRow.client_id)
        ).first()
        if stopped is not None:
            audit.record(work, action="client.disabled", subject=f"client:{client_id}")
