"""Connections: a tenant's own identity provider, made, read anew and disabled.

What the provider says of itself is read before a transaction begins, and kept with its issuer: a
sign-in asks nobody where to go, so nobody can send it elsewhere (CVE-2026-104056).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.identity.adapters import (
    OutsideUnread,
    Provider,
    end_of_call,
    pick_key,
    read_keys,
    read_provider,
)
from giftpad.identity.commands.sessions import end_sessions_by
from giftpad.identity.errors import (
    ConnectionExists,
    ConnectionNotFound,
    ConnectionUnfit,
    ProviderUnfit,
)
from giftpad.identity.models import ConnectionRow
from giftpad.identity.queries import (
    PLATFORM,
    ConnectionView,
    refresh_trust,
    secret_place,
    to_connection,
)
from giftpad.identity.rules import (
    BY_SECRET,
    SECRET_PLACES,
    check_algorithms,
    check_client,
    check_issuer,
    check_name,
    check_scopes,
)
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConnection:
    """What one must say to connect a provider; ``secret_in`` is found out where it is not said."""

    name: str
    issuer: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    secret_in: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCheck:
    """How a provider is today, beside what a connection to it knows; ``faults`` are in English."""

    faults: tuple[str, ...]
    is_same: bool
    """Whether its endpoints are those that are remembered."""
    keys: tuple[str, ...]
    """The ids of the keys that it publishes."""


def create_connection(scope: Scope, new: NewConnection) -> ConnectionView:
    """Connect a tenant to its provider, as it says it is now; once for each client there.

    Locks: the tenant's connections, so that two at once do not make two buttons.
    Raises: NameUnfit, ConnectionUnfit, ProviderUnfit, ConnectionExists.
    """
    name, issuer = check_name(new.name), check_issuer(new.issuer)
    check_client(new.client_id, new.secret)
    algorithms = check_algorithms(new.algorithms, new.secret)
    scopes = check_scopes(new.scopes)
    if new.secret_in not in ("", *SECRET_PLACES):
        raise ConnectionUnfit(reason=f"a secret goes into the {' or the '.join(SECRET_PLACES)}")
    said = _read(issuer)
    connection_id = new_id()
    with unit_of_work(scope) as work:
        _check_first(work, issuer, new.client_id)
        row = ConnectionRow(
            tenant_id=work.tenant_id,
            id=connection_id,
            name=name,
            issuer=issuer,
            client_id=new.client_id,
            secret_sealed=_seal(work, connection_id, new.secret),
            secret_in=new.secret_in or _place(said),
            algorithms=algorithms,
            scopes=scopes,
            created_at=work.at,
            **_facts(work, said),
        )
        work.session.add(row)
        work.session.flush()
        audit.record(
            work,
            action="connection.created",
            subject=f"connection:{connection_id}",
            details={"issuer": issuer},
        )
        return to_connection(row)


def _check_first(work: Work, issuer: str, client_id: str) -> None:
    """Refuse a second connection in use to the same client of a provider.

    Raises: ConnectionExists.
    """
    row = ConnectionRow
    work.session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"identity_connections:{work.tenant_id}"},
    )
    name = work.session.scalar(
        sa.select(row.name)
        .where(
            row.tenant_id == work.tenant_id,
            row.issuer == issuer,
            row.client_id == client_id,
            row.disabled_at.is_(None),
        )
        .limit(1)
    )
    if name is not None:
        raise ConnectionExists(issuer=issuer, name=name)


def _read(issuer: str) -> Provider:
    """Return what an issuer says of itself.

    Raises: ProviderUnfit.
    """
    try:
        return read_provider(issuer)
    except OutsideUnread as error:
        raise ProviderUnfit(reason=str(error)) from error


def _place(said: Provider) -> str:
    return said.secret_in[0] if said.secret_in else SECRET_PLACES[0]


def _facts(work: Work, said: Provider) -> dict[str, object]:
    return {
        "authorization_endpoint": said.authorization_endpoint,
        "token_endpoint": said.token_endpoint,
        "jwks_uri": said.jwks_uri,
        "promises_issuer": said.promises_issuer,
        "read_at": work.at,
    }


def _seal(work: Work, connection_id: UUID, secret: str | None) -> bytes | None:
    if secret is None:
        return None
    return tenancy.seal_text(work.tenant_id, secret_place(work.tenant_id, connection_id), secret)


def _lock(work: Work, connection_id: UUID) -> ConnectionRow:
    row = work.session.scalars(
        sa.select(ConnectionRow)
        .where(
            ConnectionRow.tenant_id == work.tenant_id,
            ConnectionRow.id == connection_id,
            ConnectionRow.disabled_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise ConnectionNotFound
    return row


def check_connection(connection: ConnectionView) -> ConnectionCheck:
    """Return how a connection's provider is today; nothing is changed."""
    try:
        said = read_provider(connection.issuer)
        listed = read_keys(said.jwks_uri, end_of_call())
    except OutsideUnread as error:
        return ConnectionCheck(faults=(str(error),), is_same=False, keys=())
    faults = [
        f"it does not say that it signs by {algorithm}"
        for algorithm in connection.algorithms
        if algorithm not in said.algorithms
    ]
    kids = [str(each.get("kid", "")) for each in listed]
    is_signed_by_key = BY_SECRET not in connection.algorithms
    if is_signed_by_key and not any(
        pick_key([each], kid=None, algorithm=algorithm)
        for each in listed
        for algorithm in connection.algorithms
    ):
        faults.append(f"it publishes no key for {', '.join(connection.algorithms)}")
    known = (
        connection.authorization_endpoint,
        connection.token_endpoint,
        connection.jwks_uri,
        connection.promises_issuer,
    )
    now = said.authorization_endpoint, said.token_endpoint, said.jwks_uri, said.promises_issuer
    if known != now:
        faults.append("it has moved since; say --renew to take its new addresses")
    return ConnectionCheck(faults=tuple(faults), is_same=known == now, keys=tuple(kids))


def renew_connection(scope: Scope, connection_id: UUID) -> ConnectionView:
    """Take over what a connection's provider says of itself today.

    Locks: the connection's row.
    Raises: ConnectionNotFound, ProviderUnfit.
    """
    with unit_of_work(scope) as work:
        issuer = _lock(work, connection_id).issuer
    said = _read(issuer)
    with unit_of_work(scope) as work:
        row = _lock(work, connection_id)
        for name, value in _facts(work, said).items():
            setattr(row, name, value)
        work.session.flush()
        audit.record(work, action="connection.renewed", subject=f"connection:{connection_id}")
        return to_connection(row)


def change_secret(scope: Scope, connection_id: UUID, secret: str) -> None:
    """Give a connection the new secret that its provider has made for us; links stay.

    Locks: the connection's row.
    Raises: ConnectionNotFound, ConnectionUnfit.
    """
    with unit_of_work(scope) as work:
        row = _lock(work, connection_id)
        check_client(row.client_id, secret)
        check_algorithms(row.algorithms, secret)
        row.secret_sealed = _seal(work, connection_id, secret)
        work.session.flush()
        audit.record(
            work, action="connection.secret_changed", subject=f"connection:{connection_id}"
        )


def disable_connection(scope: Scope, connection_id: UUID) -> int:
    """Let nobody in by a connection any more, and end the sessions it opened; return how many.

    Locks: the connection's row, then the sessions' rows.
    Raises: ConnectionNotFound.
    """
    with unit_of_work(scope) as work:
        _lock(work, connection_id).disabled_at = work.at
        work.session.flush()
        audit.record(work, action="connection.disabled", subject=f"connection:{connection_id}")
    with unit_of_work(PLATFORM) as work:
        count = end_sessions_by(work, connection_id)
    refresh_trust()
    return count
