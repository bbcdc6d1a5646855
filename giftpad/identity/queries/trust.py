"""Whether a token is to be believed.

Hides: the signing keys and revocations held in this process.  They are read anew in the
background after ``REFRESH_S`` and never older than ``STALE_MAX_S``, so believing a token costs no
query; a process that cannot read them any more believes nobody.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from giftpad import tenancy
from giftpad.identity import models
from giftpad.identity.errors import TokenRefused
from giftpad.identity.queries.foreign import find_foreign, is_withdrawn, verify_foreign
from giftpad.identity.queries.foreign_claims import ForeignClaims
from giftpad.identity.rules import (
    ID_TOKEN_TYPE,
    TOKEN_LENGTH_MAX,
    TOKEN_TYPE,
    Claims,
    Issuer,
    judge_claims,
    judge_gift,
    judge_header,
    judge_hint,
    judge_reader,
)
from giftpad.kernel.db import Database, database
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.log import get_logger
from giftpad.kernel.seal import unwrap
from giftpad.kernel.work import Scope, Work, unit_of_work

log = get_logger("identity")

REFRESH_S = 10.0
STALE_MAX_S = 30.0
MISSES_MAX = 20
"""Times in a second at most that one process looks for a key it does not know."""
REVOCATIONS_MAX = 100_000
LISTED_MAX_S = 1.0
"""Age of the keys that others are told at most, as long as the database answers."""
_RS256 = jws.JWSRegistry(algorithms=["RS256"])
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
    authorisations_revoked: frozenset[str]
    read_at: float
    keys_read_at: float


class _Held:
    """The trust of this process, and where it came from."""

    issuer: Issuer | None = None
    misses: deque[float] = deque(maxlen=MISSES_MAX)  # noqa: RUF012 - one per process, by design
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


def _read_keys(work: Work) -> dict[str, _Key]:
    found = work.session.scalars(sa.select(models.SigningKeyRow).where(_is_usable(work)))
    return {
        key.kid: _Key(
            state=key.state,
            public=RSAKey.import_key(key.public),
            private_wrapped=key.private_wrapped,
        )
        for key in found
    }


def _read_trust() -> _Trust:
    row = models.RevocationRow
    read_at = time.monotonic()  # before the read: what is revoked during it counts as unread
    with unit_of_work(PLATFORM) as work:
        keys = _read_keys(work)
        revoked = work.session.execute(
            sa.select(row.kind, row.value)
            .where(row.tenant_id == work.tenant_id, row.kept_until > work.at)
            .order_by(row.created_at.desc())  # the newest, if there are more than can be held
            .limit(REVOCATIONS_MAX)
        ).all()
    if len(revoked) == REVOCATIONS_MAX:
        log.error("more revocations than are held; the oldest are believed again")
    return _Trust(
        keys=keys,
        clients_revoked=frozenset(value for kind, value in revoked if kind == "client"),
        tokens_revoked=frozenset(value for kind, value in revoked if kind == "token"),
        sessions_revoked=frozenset(value for kind, value in revoked if kind == "session"),
        authorisations_revoked=frozenset(
            value for kind, value in revoked if kind == "authorisation"
        ),
        read_at=read_at,
        keys_read_at=read_at,
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
    if time.monotonic() - _trust().keys_read_at >= LISTED_MAX_S:
        with suppress(Unavailable):  # those that are known are better than none
            _look_for_keys()
    order = ("current", "next", "previous")
    keys = sorted(_trust().keys.items(), key=lambda item: (order.index(item[1].state), item[0]))
    return [
        {**key.public.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256"}
        for kid, key in keys
    ]


def verify_token(token: str) -> Claims:
    """Return what an access token says if it is for our API, of this hour, and signed by us.

    Or by an issuer that is trusted: what a token says of its issuer chooses whose keys are tried,
    and is not believed before one of them fits.
    Whether it was revoked is asked by ``is_revoked``, again at every use.
    Raises: TokenRefused, IssuerAway.
    """
    signature, payload = _open(token)
    if (foreign := find_foreign(payload.get("iss"))) is not None:
        try:
            return verify_foreign(foreign, signature, payload)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused(type(error).__name__) from error
    key_id = _check_signature(signature, (TOKEN_TYPE,))
    return judge_claims(payload, issuer(), key_id=key_id, at=time.time())


def verify_reader(token: str) -> tuple[Claims, frozenset[str]]:
    """Return what an access token of ours says that may ask who its person is, and its scope.

    Raises: TokenRefused.
    """
    signature, payload = _open(token)
    key_id = _check_signature(signature, (TOKEN_TYPE, ID_TOKEN_TYPE.lower()))
    claims, names = judge_reader(payload, issuer(), key_id=key_id, at=time.time())
    if is_revoked(claims):
        reason = "revoked"
        raise TokenRefused(reason)
    return claims, names


def verify_gift_token(token: str) -> Claims:
    """Return what a token says that we signed for whoever holds the link of one gift.

    Raises: TokenRefused.
    """
    signature, payload = _open(token)
    key_id = _check_signature(signature, (TOKEN_TYPE,))
    return judge_gift(payload, issuer(), key_id=key_id, at=time.time())


def verify_hint(token: str) -> dict[str, Any]:
    """Return what an ID token says that we signed for a client, be it over by now.

    Raises: TokenRefused.
    """
    signature, payload = _open(token)
    _check_signature(signature, (ID_TOKEN_TYPE.lower(),))
    judge_hint(payload, issuer())
    return payload


def _open(token: str) -> tuple[jws.CompactSignature, dict[str, Any]]:
    """Take a token apart; what it says is not to be believed yet.

    Raises: TokenRefused.
    """
    if len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        reason = "form"
        raise TokenRefused(reason)
    try:
        signature = jws.extract_compact(token.encode())
        return signature, _read_payload(signature.payload)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(type(error).__name__) from error


def _check_signature(signature: jws.CompactSignature, types: Collection[str]) -> str:
    """Return the id of the key of ours that has signed.

    Raises: TokenRefused.
    """
    try:
        key_id = judge_header(signature.headers(), types)
        is_signed = jws.validate_compact(signature, _public_key(key_id), registry=_RS256)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(type(error).__name__) from error
    if not is_signed:
        reason = "signature"
        raise TokenRefused(reason)
    return key_id


def _read_payload(content: bytes | None) -> dict[str, Any]:
    """Return the claims of a token, which say nothing until its signature is checked.

    Raises: ValueError, TypeError.
    """
    payload = orjson.loads(content or b"")
    if not isinstance(payload, dict):
        raise TypeError
    return payload


def _look_for_keys() -> None:
    """Read the signing keys now: another process may have made one since.

    Whoever waited while another looked is content with what that one has found, and nobody looks
    more often than ``MISSES_MAX`` times in a second: key ids can be made up.
    Raises: DatabaseAway, Busy.
    """
    _trust()
    asked_at = time.monotonic()
    with _Held.reading:
        held, at = _Held.trust, time.monotonic()
        assert held is not None
        if held.keys_read_at >= asked_at:
            return
        if len(_Held.misses) == MISSES_MAX and at - _Held.misses[0] < 1:
            return
        _Held.misses.append(at)
        with unit_of_work(PLATFORM) as work:
            keys = _read_keys(work)
        _Held.trust = replace(held, keys=keys, keys_read_at=at)


def _public_key(kid: str) -> RSAKey:
    key = _trust().keys.get(kid)
    if key is None:
        _look_for_keys()
        key = _trust().keys.get(kid)
    if key is None:
        reason = "key"
        raise TokenRefused(reason)
    return key.public


def is_revoked(claims: Claims) -> bool:
    """Whether a token that was believed is to be believed no more; costs no query.

    A token of another issuer that gives its tokens no ids goes with its key, or with its time.
    """
    trust = _trust()
    if isinstance(claims, ForeignClaims):
        return claims.token_id in trust.tokens_revoked or is_withdrawn(claims)
    return (
        claims.client_id in trust.clients_revoked
        or claims.token_id in trust.tokens_revoked
        or (claims.session_id is not None and str(claims.session_id) in trust.sessions_revoked)
        or claims.authorisation_id in trust.authorisations_revoked
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
