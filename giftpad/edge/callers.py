"""Who calls: the bearer of a verified access token, remembered for a minute.

Hides: the memory of verified tokens.  A token is known by its SHA-256; whether it was revoked is
asked again at every request, from what this process holds, so a request costs no query.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from uuid import UUID

from giftpad import guard, identity, tenancy
from giftpad.edge.errors import TenantClosed, TokenInvalid, TokenMissing
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Actor

log = get_logger("edge")

KEPT_S = 60.0
CALLERS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who has signed in; the name is known on pages only."""

    id: UUID
    name: str
    role: str
    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The bearer of a token: what it says, and what follows from it; machines are no person."""

    claims: identity.Claims
    tenant: tenancy.Tenant
    actor: Actor
    rate: guard.Rate
    verified_at: float
    person: Person | None = None


class _Memory:
    """The callers of this process; the longest known is forgotten first."""

    callers: dict[bytes, Caller] = {}  # noqa: RUF012 - one per process, by design
    lock = threading.Lock()


def forget_callers() -> None:
    """Verify every token anew, because this process has another issuer from now on."""
    with _Memory.lock:
        _Memory.callers.clear()


def identify(authorization: str | None) -> Caller:
    """Return who calls, by the request's Authorization header.

    Raises: TokenMissing, TokenInvalid, TenantClosed, IssuerAway.
    """
    if not authorization:
        raise TokenMissing
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise TokenMissing
    return identify_token(token)


def identify_token(token: str) -> Caller:
    """Return who bears a token, whichever way it came and whoever of those we trust signed it.

    Raises: TokenInvalid, TenantClosed, IssuerAway.
    """
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    caller = _Memory.callers.get(digest)
    if (
        caller is None
        or time.monotonic() - caller.verified_at >= KEPT_S
        or time.time() >= caller.claims.expires_at
    ):
        caller = _verify(token)
        _remember(digest, caller)
    if identity.is_revoked(caller.claims):
        raise TokenInvalid
    return caller


def _remember(digest: bytes, caller: Caller) -> None:
    with _Memory.lock:
        _Memory.callers.pop(digest, None)
        _Memory.callers[digest] = caller
        if len(_Memory.callers) > CALLERS_MAX:
            del _Memory.callers[next(iter(_Memory.callers))]


def _verify(token: str) -> Caller:
    try:
        claims = identity.verify_token(token)
    except identity.TokenRefused as error:
        log.info("token refused", reason=error.reason)
        raise TokenInvalid from error
    tenant = tenancy.find_tenant_by_org(claims.org_id)
    if tenant is None:
        log.info("token refused", reason="unknown organisation")
        raise TokenInvalid
    if tenant.is_suspended:
        raise TenantClosed
    if claims.limits.failed_codes_max != identity.DEFAULT_LIMITS.failed_codes_max:
        guard.allow_failures(claims.client_id, claims.limits.failed_codes_max)
    return Caller(
        claims=claims,
        tenant=tenant,
        actor=_actor(claims),
        rate=guard.Rate(claims.limits.rate_s, claims.limits.burst),
        verified_at=time.monotonic(),
        person=_person(claims),
    )


def _actor(claims: identity.Claims) -> Actor:
    if claims.person_id is None:
        return Actor(
            kind="client",
            id=claims.client_id,
            client_id=claims.client_id,
            shop_id=claims.shop_id,
        )
    return identity.person_actor(claims.person_id, claims.shop_id, claims.visit_id)


def _person(claims: identity.Claims) -> Person | None:
    if claims.person_id is None or claims.session_id is None:
        return None
    return Person(id=claims.person_id, name="", role=claims.role, session_id=claims.session_id)
