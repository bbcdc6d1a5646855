"""Clients: made with a secret that is shown once, if they can keep one, changed and stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit
from giftpad.identity.commands.revocations import KEPT_FOR, revoke
from giftpad.identity.errors import AudienceTaken, ClientDisabled, ClientNotFound, ClientUnfit
from giftpad.identity.models import ApiRow, ClientGrantRow, ClientRow
from giftpad.identity.queries import PLATFORM, issuer
from giftpad.identity.rules import (
    DEFAULT_LIMITS,
    LEEWAY_MAX_S,
    OUR_PROFILE,
    PERMISSIONS,
    SECRET_KINDS,
    TOKEN_PROFILES,
    Limits,
    check_addresses,
    check_audience,
    check_browser_ways,
    check_kind,
    check_limits,
    check_name,
    check_origins,
    check_permissions,
    new_client_id,
    new_secret,
    origin_of,
)
from giftpad.kernel.bearer import hash_secret
from giftpad.kernel.work import Scope, Work, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """What one must say to make a client; one with a shop acts for that shop only.

    ``permissions`` are the most it may do: by itself if it is a machine, else for people who may
    do so themselves.  ``audience`` names its API where that is not ours.
    """

    name: str
    permissions: tuple[str, ...] = ()
    shop_id: UUID | None = None
    limits: Limits = DEFAULT_LIMITS
    kind: str = "machine"
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    audience: str = ""
    token_profile: str = OUR_PROFILE
    leeway_s: int = 0
    needs_challenge: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChange:
    """What is to be different about a client: None leaves a thing as it is, a list replaces one."""

    name: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    logout_uris: tuple[str, ...] | None = None
    origins: tuple[str, ...] | None = None
    new_secret: bool = False

    def fields(self) -> list[str]:
        """Return the names of what changes."""
        lists = ("name", "redirect_uris", "logout_uris", "origins")
        changed = [field for field in lists if getattr(self, field) is not None]
        return [*changed, "secret"] if self.new_secret else changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client proves itself with; the secret exists nowhere else, and some have none."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Credentials(client_id={self.client_id!r})"


def create_client(scope: Scope, new: NewClient) -> Credentials:
    """Make a client of the scope's tenant.

    The platform's rows come first, in a transaction of their own: without its grant a client can
    do nothing, so a crash between the two leaves nobody with a right.
    Raises: NameUnfit, PermissionUnknown, LimitsInvalid, ClientUnfit, AddressUnfit, AudienceUnfit,
    AudienceTaken.
    """
    name = check_name(new.name)
    allowed = check_permissions(new.permissions)
    check_limits(new.limits)
    _check_kind(new)
    keeps_secret = new.kind in SECRET_KINDS
    made = Credentials(
        client_id=new_client_id(), client_secret=new_secret() if keeps_secret else ""
    )
    redirect_uris = check_addresses(new.redirect_uris)
    origins = _with_own(new.kind, check_origins(new.origins), redirect_uris)
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        if new.audience:
            _keep_api(work, scope.tenant_id, new)
        work.session.add(
            ClientRow(
                tenant_id=work.tenant_id,
                id=made.client_id,
                home_tenant_id=scope.tenant_id,
                kind=new.kind,
                secret_hash=hash_secret(made.client_secret) if keeps_secret else None,
                redirect_uris=redirect_uris,
                logout_uris=check_addresses(new.logout_uris),
                origins=origins,
                audience=new.audience,
                leeway_s=new.leeway_s,
                needs_challenge=new.needs_challenge,
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
        details = {
            "type": new.kind,
            "permissions": ordered,
            "shop_id": str(new.shop_id) if new.shop_id else None,
        }
        audit.record(
            work, action="client.created", subject=f"client:{made.client_id}", details=details
        )
    return made


def _with_own(kind: str, origins: Iterable[str], redirect_uris: Iterable[str]) -> list[str]:
    """Return a client's origins: where a script is sent back to, it also asks for its tokens."""
    own = map(origin_of, redirect_uris) if kind == "spa" else ()
    return list(dict.fromkeys([*origins, *own]))


def _check_kind(new: NewClient) -> None:
    check_kind(new.kind, new.redirect_uris)
    check_browser_ways(new.kind, new.logout_uris, new.origins)
    if new.kind != "machine" and (new.shop_id is not None or new.limits != DEFAULT_LIMITS):
        raise ClientUnfit(reason="only a machine has a shop and limits of its own")
    if new.token_profile not in TOKEN_PROFILES:
        raise ClientUnfit(reason=f"its tokens are written as {' or '.join(TOKEN_PROFILES)}")
    if new.token_profile != OUR_PROFILE and not new.audience:
        raise ClientUnfit(reason="tokens for our API are always written as rfc9068")
    if not 0 <= new.leeway_s <= LEEWAY_MAX_S:
        raise ClientUnfit(reason=f"its leeway is 0 to {LEEWAY_MAX_S} seconds")
    if not new.needs_challenge and new.kind != "web":
        raise ClientUnfit(reason="who keeps no secret needs the challenge of PKCE")


def _keep_api(work: Work, tenant_id: UUID, new: NewClient) -> None:
    """Keep the API that tokens are for, unless it is there already as it is wanted.

    Raises: AudienceUnfit, AudienceTaken.
    """
    audience = check_audience(new.audience, issuer())
    work.session.execute(
        insert(ApiRow)
        .values(
            tenant_id=work.tenant_id,
            audience=audience,
            home_tenant_id=tenant_id,
            token_profile=new.token_profile,
            created_at=work.at,
        )
        .on_conflict_do_nothing()
    )
    known = work.session.get_one(ApiRow, (work.tenant_id, audience))
    if (known.home_tenant_id, known.token_profile) != (tenant_id, new.token_profile):
        raise AudienceTaken(audience=audience)


def change_client(scope: Scope, client_id: str, change: ClientChange) -> Credentials:
    """Change a client of the scope's tenant; a new secret is in the answer and nowhere else.

    The next request goes by what is new: the old secret and addresses are refused at once.  Tokens
    that the client has stay good until they are over, and its people signed in.  The platform's
    part comes first and is what counts; doing it again repairs a half-done one.
    Locks: the client's row.
    Raises: ClientNotFound, ClientDisabled, NameUnfit, ClientUnfit, AddressUnfit.
    """
    name = check_name(change.name) if change.name is not None else None
    secret = new_secret() if change.new_secret else ""
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        client = _lock(work, scope.tenant_id, client_id)
        if client.disabled_at is not None:
            raise ClientDisabled
        for field, value in _changed_addresses(client, change).items():
            setattr(client, field, value)
        if change.new_secret:
            if client.kind not in SECRET_KINDS:
                raise ClientUnfit(reason="a browser or a device keeps no secret, so it has none")
            client.secret_hash = hash_secret(secret)
    with unit_of_work(scope) as work:
        grant = work.session.get_one(ClientGrantRow, (work.tenant_id, client_id))
        grant.name = name if name is not None else grant.name
        details = {"fields": change.fields()}
        audit.record(work, action="client.changed", subject=f"client:{client_id}", details=details)
    return Credentials(client_id=client_id, client_secret=secret)


def _changed_addresses(client: ClientRow, change: ClientChange) -> dict[str, list[str]]:
    """Return the addresses and origins that a client has anew, by the checks of a first one.

    Origins that came with redirect addresses go with them.
    Raises: ClientUnfit, AddressUnfit.
    """
    found: dict[str, list[str]] = {}
    redirect_uris = client.redirect_uris
    if change.redirect_uris is not None:
        check_kind(client.kind, change.redirect_uris)
        redirect_uris = found["redirect_uris"] = check_addresses(change.redirect_uris)
    check_browser_ways(client.kind, change.logout_uris or (), change.origins or ())
    if change.logout_uris is not None:
        found["logout_uris"] = check_addresses(change.logout_uris)
    if change.origins is not None:
        found["origins"] = _with_own(client.kind, check_origins(change.origins), redirect_uris)
    elif change.redirect_uris is not None:
        went = set(_with_own(client.kind, (), client.redirect_uris))
        kept = [origin for origin in client.origins if origin not in went]
        found["origins"] = _with_own(client.kind, kept, redirect_uris)
    return found


def _lock(work: Work, tenant_id: UUID, client_id: str) -> ClientRow:
    """Return a client of a tenant, locked; ``work`` is of the platform.

    Raises: ClientNotFound.
    """
    client = work.session.get(ClientRow, (work.tenant_id, client_id), with_for_update=True)
    if client is None or client.home_tenant_id != tenant_id:
        raise ClientNotFound
    return client


def disable_client(scope: Scope, client_id: str) -> None:
    """Stop a client of the scope's tenant: no new token, and its old ones within 30 seconds.

    The platform's part comes first and is what counts; doing it again repairs a half-done one.
    Raises: ClientNotFound.
    """
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        client = _lock(work, scope.tenant_id, client_id)
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
