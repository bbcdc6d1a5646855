"""What a token must say, and what one says that is believed: values, no state.

Source: RFC 9068; RFC 8725; identity rules of ADR 0013.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from giftpad.identity.errors import LimitsInvalid, TokenRefused
from giftpad.identity.rules.roles import (
    DEFAULT_LIMITS,
    OPERATOR_PERMISSIONS,
    PERMISSIONS,
    Limits,
    Membership,
    check_limits,
)

MACHINE_TOKEN_LIFE_S = 3600
SESSION_TOKEN_LIFE_S = 900
SESSION_IDLE_S = 12 * 3600
SESSION_LIFE_S = 14 * 24 * 3600
WEB_CLIENT_ID = "giftpad-web"
TOKEN_LIFE_MAX_S = 3600
CLOCK_LEEWAY_S = 60
TOKEN_LENGTH_MAX = 8192
API_PATH = "api/v1"
OUR_PROFILE = "rfc9068"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068
SHOP_CLAIM = "urn:giftpad:shop_id"
ROLE_CLAIM = "urn:giftpad:role"
LIMITS_CLAIM = "urn:giftpad:limits"
GRANT_CLAIM = "urn:giftpad:authorisation"
VISIT_CLAIM = "urn:giftpad:visit"
ORG_PREFIX = "org_"
PERSON_PREFIX = "auth0|"
"""People and machines have subjects of different forms, so that none is taken for another."""
USERINFO_PATH = "userinfo"
GIFTS_PATH = "g"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs tokens, and the API they are for."""

    address: str
    """Ends with a slash."""

    @property
    def audience(self) -> str:
        """The audience of our API, which is every client's default."""
        return self.address + API_PATH

    @property
    def userinfo(self) -> str:
        """The audience of tokens that may ask who somebody is."""
        return self.address + USERINFO_PATH

    @property
    def gifts(self) -> str:
        """The audience of tokens that may receive one gift."""
        return self.address + GIFTS_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified access token says."""

    token_id: str
    subject: str
    client_id: str
    org_id: str
    permissions: frozenset[str]
    shop_id: UUID | None
    limits: Limits
    issued_at: int
    expires_at: int
    key_id: str
    session_id: UUID | None = None
    """Of a person who signed in; machines have none."""
    role: str = ""
    authorisation_id: str = ""
    """Of a person's token that another client than our own pages bears."""
    proved_at: int = 0
    """When a person at our own pages last proved who they are, in seconds of the epoch."""
    visit_id: UUID | None = None
    """Of an operator who is in this tenant for a while."""
    gift_locator: int | None = None
    """Which gift the bearer holds the link of; nobody else has one."""

    @property
    def person_id(self) -> UUID | None:
        """Whose token it is, if it is a person's."""
        return find_person_id(self.subject) if self.session_id is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A client, and the most that it may do in its tenant."""

    client_id: str
    tenant_id: UUID
    org_id: str
    permissions: frozenset[str]
    shop_id: UUID | None
    limits: Limits
    kind: str = "machine"
    name: str = ""
    redirect_uris: tuple[str, ...] = ()
    logout_uris: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    audience: str = ""
    """Its API where that is not ours; such a token is asked for by name, or by saying none."""
    token_profile: str = OUR_PROFILE
    """How tokens for that API are written; ours are always of RFC 9068."""
    leeway_s: int = 0
    """How long after its exchange the last refresh token may be shown again."""
    needs_challenge: bool = True


def client_claims(client_id: str, token_id: str, profile: str) -> dict[str, str]:
    """Write who bears a token, as the two dialects say it."""
    if profile == OUR_PROFILE:
        return {"client_id": client_id, "jti": token_id}
    return {"azp": client_id}


def type_of(profile: str) -> str:
    """Return the ``typ`` of an access token's header."""
    return TOKEN_TYPE if profile == OUR_PROFILE else "JWT"


def access_claims(
    issuer: Issuer,
    granted: Granted,
    permissions: Iterable[str],
    *,
    token_id: str,
    at: int,
    audience: str = "",
    profile: str = OUR_PROFILE,
) -> dict[str, Any]:
    """Write the claims of a machine's access token; without an ``audience`` it is for our API."""
    allowed = [name for name in PERMISSIONS if name in frozenset(permissions)]
    claims: dict[str, Any] = {
        "iss": issuer.address,
        "aud": audience or issuer.audience,
        "sub": f"{granted.client_id}@clients",
        "iat": at,
        "exp": at + MACHINE_TOKEN_LIFE_S,
        "scope": " ".join(allowed),
        "permissions": allowed,
        "org_id": granted.org_id,
        **client_claims(granted.client_id, token_id, profile),
    }
    if profile != OUR_PROFILE:
        claims["gty"] = "client-credentials"
    if granted.shop_id is not None:
        claims[SHOP_CLAIM] = str(granted.shop_id)
    if granted.limits != DEFAULT_LIMITS:
        claims[LIMITS_CLAIM] = asdict(granted.limits)
    return claims


def subject_of(person_id: UUID) -> str:
    """Write a person's subject."""
    return f"{PERSON_PREFIX}{person_id}"


def find_person_id(subject: str) -> UUID | None:
    """Return whom a subject names; None if it names no person.

    Tokens of the release before had the bare id; they are over within a quarter of an hour.
    """
    try:
        return UUID(subject.removeprefix(PERSON_PREFIX))
    except ValueError:
        return None


def session_claims(
    issuer: Issuer,
    membership: Membership,
    *,
    session_id: UUID,
    token_id: str,
    proved_at: int,
    at: int,
    over_at: int,
) -> dict[str, Any]:
    """Write the claims of the access token that a person's session carries.

    ``proved_at`` is when they last proved who they are, in seconds of the epoch.
    """
    claims: dict[str, Any] = {
        "iss": issuer.address,
        "aud": issuer.audience,
        "sub": subject_of(membership.person_id),
        "client_id": WEB_CLIENT_ID,
        "sid": str(session_id),
        "jti": token_id,
        "iat": at,
        "exp": over_at,
        "auth_time": proved_at,
        "permissions": [
            name for name in (*PERMISSIONS, *OPERATOR_PERMISSIONS) if name in membership.permissions
        ],
        "org_id": membership.org_id,
        ROLE_CLAIM: membership.role,
    }
    if membership.shop_id is not None:
        claims[SHOP_CLAIM] = str(membership.shop_id)
    if membership.visit_id is not None:
        claims[VISIT_CLAIM] = str(membership.visit_id)
    return claims


def judge_header(header: Mapping[str, Any], types: Collection[str] = (TOKEN_TYPE,)) -> str:
    """Return the key id of a token's header; whatever else the header offers is not looked at.

    Raises: TokenRefused.
    """
    if header.get("alg") != "RS256":
        reason = "algorithm"
    elif str(header.get("typ", "")).lower() not in types:
        reason = "type"
    elif "crit" in header:
        reason = "critical header"
    elif not isinstance(header.get("kid"), str):
        reason = "no key id"
    else:
        return str(header["kid"])
    raise TokenRefused(reason)


def judge_claims(
    payload: Mapping[str, Any], issuer: Issuer, *, key_id: str, at: float, audience: str = ""
) -> Claims:
    """Return what a token with a good signature says, if it is for us and of this hour.

    Without an ``audience`` it is to be for our API.
    Raises: TokenRefused.
    """
    if payload.get("iss") != issuer.address:
        reason = "issuer"
        raise TokenRefused(reason)
    if not is_for(payload, audience or issuer.audience):
        reason = "audience"
        raise TokenRefused(reason)
    issued_at, expires_at = _judge_times(payload, at)
    org_id = _text(payload, "org_id")
    if not org_id.startswith(ORG_PREFIX):
        reason = "organisation"
        raise TokenRefused(reason)
    return Claims(
        token_id=_text(payload, "jti"),
        subject=_text(payload, "sub"),
        client_id=_text(payload, "client_id"),
        org_id=org_id,
        permissions=_permissions(payload),
        shop_id=_id(payload, SHOP_CLAIM),
        limits=_limits(payload),
        issued_at=issued_at,
        expires_at=expires_at,
        key_id=key_id,
        session_id=_session(payload),
        role=_text(payload, ROLE_CLAIM) if ROLE_CLAIM in payload else "",
        authorisation_id=_text(payload, GRANT_CLAIM) if GRANT_CLAIM in payload else "",
        proved_at=_seconds(payload, "auth_time") if "auth_time" in payload else 0,
        visit_id=_id(payload, VISIT_CLAIM),
    )


def judge_reader(
    payload: Mapping[str, Any], issuer: Issuer, *, key_id: str, at: float
) -> tuple[Claims, frozenset[str]]:
    """Return what a token with a good signature says that asks who its person is, and its scope.

    It may be of either dialect; it has no permissions here.
    Raises: TokenRefused.
    """
    reason = "issuer or audience"
    if payload.get("iss") != issuer.address or not is_for(payload, issuer.userinfo):
        raise TokenRefused(reason)
    issued_at, expires_at = _judge_times(payload, at)
    session_id = _session(payload)
    if session_id is None:
        raise TokenRefused(reason)
    claims = Claims(
        token_id=str(payload.get("jti", "")),
        subject=_text(payload, "sub"),
        client_id=_text(payload, "client_id" if "client_id" in payload else "azp"),
        org_id=_text(payload, "org_id"),
        permissions=frozenset(),
        shop_id=None,
        limits=DEFAULT_LIMITS,
        issued_at=issued_at,
        expires_at=expires_at,
        key_id=key_id,
        session_id=session_id,
        authorisation_id=_text(payload, GRANT_CLAIM),
    )
    return claims, frozenset(_text(payload, "scope").split())


def judge_hint(payload: Mapping[str, Any], issuer: Issuer) -> None:
    """Refuse what is no ID token of ours; it may be over, for it only tells who is meant.

    Raises: TokenRefused.
    """
    reason = "no ID token of ours"
    if payload.get("iss") != issuer.address or "at_hash" not in payload:
        raise TokenRefused(reason)
    for name in ("aud", "sub", "sid"):
        _text(payload, name)


def _judge_times(payload: Mapping[str, Any], at: float) -> tuple[int, int]:
    """Return from when and until when a token is good, if it is now.

    Raises: TokenRefused.
    """
    issued_at, expires_at = _seconds(payload, "iat"), _seconds(payload, "exp")
    starts_at = _seconds(payload, "nbf") if "nbf" in payload else issued_at
    if at >= expires_at + CLOCK_LEEWAY_S:
        reason = "expired"
        raise TokenRefused(reason)
    if at < max(issued_at, starts_at) - CLOCK_LEEWAY_S:
        reason = "not yet valid"
        raise TokenRefused(reason)
    return issued_at, expires_at


def is_for(payload: Mapping[str, Any], audience: str) -> bool:
    """Whether a token is for an audience, alone or among others."""
    given = payload.get("aud")
    return given == audience or (isinstance(given, list) and audience in given)


def _seconds(payload: Mapping[str, Any], name: str) -> int:
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TokenRefused(name)
    return value


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str) or not value:
        raise TokenRefused(name)
    return value


def _permissions(payload: Mapping[str, Any]) -> frozenset[str]:
    names = payload.get("permissions")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        reason = "permissions"
        raise TokenRefused(reason)
    return frozenset(names)


def _session(payload: Mapping[str, Any]) -> UUID | None:
    """Return the session of a person's token, whose subject is that person and nothing else."""
    if "sid" not in payload:
        return None
    reason = "session"
    if find_person_id(_text(payload, "sub")) is None:
        raise TokenRefused(reason)
    try:
        return UUID(_text(payload, "sid"))
    except ValueError:
        raise TokenRefused(reason) from None


def _id(payload: Mapping[str, Any], claim: str) -> UUID | None:
    if claim not in payload:
        return None
    try:
        return UUID(_text(payload, claim))
    except ValueError:
        reason = claim.rpartition(":")[2]
        raise TokenRefused(reason) from None


def _limits(payload: Mapping[str, Any]) -> Limits:
    if LIMITS_CLAIM not in payload:
        return DEFAULT_LIMITS
    try:
        limits = Limits(**payload[LIMITS_CLAIM])
        check_limits(limits)
    except (TypeError, LimitsInvalid):
        reason = "limits"
        raise TokenRefused(reason) from None
    return limits
