"""Whether a token is to be believed.

Hides: the signing keys and revocations held in this process.  They are read anew in the
background after ``REFRESH_S`` and never older than ``STALE_MAX_S``, so believing a token costs no
query; a process that cannot read them any more believes nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from giftpad import tenancy
from giftpad.identity import models
from giftpad.identity.errors import TokenRefused
from giftpad.identity.rules import (
    TOKEN_LENGTH_MAX,
    Claims,
    Issuer,
    judge_claims,
    judge_header,
)
from giftpad.kernel.db import Database, database
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.log import get_logger
from giftpad.kernel.seal import unwrap
from giftpad.kernel.work import Scope, Work, unit_of_work

log = get_logger("identity")

REFRESH_S = 10.0
STALE_MAX_S = 30.0
MISS_INTERVAL_S = 1.0
REVOCATIONS_MAX = 100_000
PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyView:
    """A signing key as its keeper sees it."""

    kid: str
    state: str
    created_at: datetime
    promoted_at: datetime | None
    kept_until: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A key that signs or has signed; ``private_wrapped`` is None when it signs no more."""

    state: str
    public: RSAKey
    private_wrapped: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trust:
    """What this process believes by, as it was read at ``read_at``."""

    keys: Mapping[str, _Key]
    clients_revoked: frozenset[str]
    tokens_revoked: frozenset[str]
    sessions_revoked: frozenset[str]
    read_at: float


class _Held:
    """The trust of this process, and where it came from."""

    issuer: Issuer | None = None
    trust: _Trust | None = None
    source: Database | None = None
    reading = threading.Lock()


def bind_issuer(address: str) -> None:
    """Name the issuer of this installation's tokens; ``address`` ends with a slash."""
    assert address.endswith("/")
    _Held.issuer = Issuer(address=address)


def issuer() -> Issuer:
    """Return the issuer of this process."""
    assert _Held.issuer is not None, "bind_issuer has not been called"
    return _Held.issuer


def _is_usable(work: Work) -> sa.ColumnElement[bool]:
    key = models.SigningKeyRow
    return sa.and_(
        key.tenant_id == work.tenant_id,
        key.state != "revoked",
        sa.or_(key.kept_until.is_(None), key.kept_until > work.at),
    )


def _read_trust() -> _Trust:
    row = models.RevocationRow
    read_at = time.monotonic()  # before the read: what is revoked during it counts as unread
    with unit_of_work(PLATFORM) as work:
        keys = list(work.session.scalars(sa.select(models.SigningKeyRow).where(_is_usable(work))))
        revoked = work.session.execute(
            sa.select(row.kind, row.value)
            .where(row.tenant_id == work.tenant_id, row.kept_until > work.at)
            .limit(REVOCATIONS_MAX)
        ).all()
    return _Trust(
        keys={
            key.kid: _Key(
                state=key.state,
                public=RSAKey.import_key(key.public),
                private_wrapped=key.private_wrapped,
            )
            for key in keys
        },
        clients_revoked=frozenset(value for kind, value in revoked if kind == "client"),
        tokens_revoked=frozenset(value for kind, value in revoked if kind == "token"),
        sessions_revoked=frozenset(value for kind, value in revoked if kind == "session"),
        read_at=read_at,
    )


def refresh_trust(*, older_than_s: float = 0.0) -> None:
    """Read keys and revocations now, unless they are younger than ``older_than_s``.

    Raises: DatabaseAway, Busy.
    """
    with _Held.reading:
        held = _Held.trust
        if held is None or _Held.source is not database() or _age_s(held) >= older_than_s:
            _Held.trust, _Held.source = _read_trust(), database()


def _age_s(trust: _Trust) -> float:
    return time.monotonic() - trust.read_at


def _refresh_behind() -> None:
    try:
        refresh_trust(older_than_s=REFRESH_S)
    except Unavailable as error:
        log.warning("signing keys and revocations could not be read", error=error.code)


def _trust() -> _Trust:
    held = _Held.trust
    if held is not None and _Held.source is database():
        age_s = _age_s(held)
        if age_s >= REFRESH_S and age_s < STALE_MAX_S and not _Held.reading.locked():
            threading.Thread(target=_refresh_behind, name="trust", daemon=True).start()
        if age_s < STALE_MAX_S:
            return held
    refresh_trust(older_than_s=STALE_MAX_S)
    assert _Held.trust is not None
    return _Held.trust


def key_place(kid: str) -> str:
    """Name the place of a wrapped private key."""
    return f"{tenancy.PLATFORM_TENANT_ID}:identity_signing_keys:private_wrapped:{kid}"


@lru_cache(maxsize=4)
def _private_key(kid: str, wrapped: bytes) -> RSAKey:
    return RSAKey.import_key(unwrap(tenancy.kek(), wrapped, key_place(kid)))


def find_signer() -> tuple[str, RSAKey] | None:
    """Return the key that signs now, with its id; None before the first one exists."""
    for kid, key in _trust().keys.items():
        if key.state == "current" and key.private_wrapped is not None:
            return kid, _private_key(kid, key.private_wrapped)
    return None


def list_public_keys() -> list[dict[str, Any]]:
    """Return the keys that verifiers may use, the signing one first, as a JWKS lists them."""
    order = ("current", "next", "previous")
    keys = sorted(_trust().keys.items(), key=lambda item: (order.index(item[1].state), item[0]))
    return [
        {**key.public.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256"}
        for kid, key in keys
    ]


def verify_token(token: str) -> Claims:
    """Return what an access token says if we signed it, for our API, and it is of this hour.

    Whether it was revoked is asked by ``is_revoked``, again at every use.
    Raises: TokenRefused.
    """
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        reason = "form"
        raise TokenRefused(reason)
    try:
        signature = jws.extract_compact(token.encode())
        key_id = judge_header(signature.headers())
        payload = jwt.decode(token, _public_key(key_id), algorithms=["RS256"]).claims
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(type(error).__name__) from error
    return judge_claims(payload, issuer(), key_id=key_id, at=time.time())


def _public_key(kid: str) -> RSAKey:
    key = _trust().keys.get(kid)
    if key is None:
        refresh_trust(older_than_s=MISS_INTERVAL_S)
        key = _trust().keys.get(kid)
    if key is None:
        reason = "key"
        raise TokenRefused(reason)
    return key.public


def is_revoked(claims: Claims) -> bool:
    """Whether a token that was believed is to be believed no more; costs no query."""
    trust = _trust()
    return (
        claims.client_id in trust.clients_revoked
        or claims.token_id in trust.tokens_revoked
        or (claims.session_id is not None and str(claims.session_id) in trust.sessions_revoked)
        or claims.key_id not in trust.keys
    )


def list_keys(work: Work) -> list[KeyView]:
    """Return every signing key, newest first; ``work`` is of the platform tenant."""
    row = models.SigningKeyRow
    found = work.session.scalars(
        sa.select(row).where(row.tenant_id == work.tenant_id).order_by(row.created_at.desc())
    )
    return [
        KeyView(
            kid=key.kid,
            state=key.state,
            created_at=key.created_at,
            promoted_at=key.promoted_at,
            kept_until=key.kept_until,
            revoked_at=key.revoked_at,
        )
        for key in found
    ]
