"""Roles, permissions, limits, names, and what an access token must say: values, no state.

Source: RFC 9068; RFC 8725; identity rules of ADR 0013.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from giftpad.identity.errors import (
    EmailInvalid,
    LimitsInvalid,
    NameUnfit,
    PasswordUnfit,
    PermissionUnknown,
    RoleShopMismatch,
    RoleUnknown,
    TokenRefused,
)

PERMISSIONS = (
    "programmes:read",
    "coupons:read",
    "coupons:issue",
    "coupons:print",
    "coupons:release",
    "coupons:block",
    "shops:read",
    "shops:write",
    "payments:accept",
    "payments:refund",
    "payments:read",
    "members:manage",
    "reports:read",
    "audit:read",
)
"""What a tenant can give to its people and its machines."""
OPERATOR_PERMISSIONS = ("operations:read", "operations:act")
"""What only people of the platform hold: nobody of a tenant, and no machine."""

_READING = frozenset({"programmes:read", "coupons:read", "shops:read", "payments:read"})
ROLES: Mapping[str, frozenset[str]] = {
    "owner": frozenset(PERMISSIONS) - {"payments:accept"},
    "issuer": _READING | {"coupons:issue", "coupons:print", "shops:write", "reports:read"},
    "approver": _READING | {"coupons:release", "coupons:block", "reports:read", "audit:read"},
    "support": _READING | {"coupons:block", "payments:refund"},
    "viewer": _READING | {"reports:read", "audit:read"},
    "counter": frozenset({"programmes:read", "coupons:read", "coupons:block", "shops:read"}),
    "shop_owner": frozenset(
        {"programmes:read", "shops:read", "payments:accept", "payments:refund", "payments:read"}
    ),
    "clerk": frozenset({"shops:read", "payments:accept", "payments:read"}),
}
SHOP_ROLES = frozenset({"shop_owner", "clerk"})
OPERATOR_ROLES: Mapping[str, frozenset[str]] = {
    "operator": frozenset(OPERATOR_PERMISSIONS),
    "operator_viewer": frozenset({"operations:read"}),
}
"""Roles of whoever runs the installation; they exist in the platform tenant and nowhere else."""
_ALL_ROLES = {**ROLES, **OPERATOR_ROLES}

MACHINE_TOKEN_LIFE_S = 3600
SESSION_TOKEN_LIFE_S = 900
SESSION_IDLE_S = 12 * 3600
SESSION_LIFE_S = 14 * 24 * 3600
WEB_CLIENT_ID = "giftpad-web"
INVITATION_LIFE_S = 7 * 24 * 3600
TOKEN_LIFE_MAX_S = 3600
CLOCK_LEEWAY_S = 60
TOKEN_LENGTH_MAX = 8192
API_PATH = "api/v1"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068
SHOP_CLAIM = "urn:giftpad:shop_id"
ROLE_CLAIM = "urn:giftpad:role"
LIMITS_CLAIM = "urn:giftpad:limits"
ORG_PREFIX = "org_"

SECRET_BYTES = 48
CLIENT_ID_LENGTH = 32
INVITATION_SECRET_BYTES = 16
AGENT_LENGTH_MAX = 40
LIMIT_MAX = 100_000
PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 128
EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 200
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\]{1,64}@[^\s@.]+(\.[^\s@.]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a client may ask: requests a second, at once, and codes that are none."""

    rate_s: int = 50
    burst: int = 100
    failed_codes_max: int = 300


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs tokens, and the API they are for."""

    address: str
    """Ends with a slash."""

    @property
    def audience(self) -> str:
        """The audience of our API, which is every client's default."""
        return self.address + API_PATH


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What one machine client may do in its tenant."""

    client_id: str
    tenant_id: UUID
    org_id: str
    permissions: frozenset[str]
    shop_id: UUID | None
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A role of a person, in a tenant or in one shop of it."""

    id: UUID
    person_id: UUID
    tenant_id: UUID
    org_id: str
    role: str
    shop_id: UUID | None

    @property
    def permissions(self) -> frozenset[str]:
        """What the role may do."""
        return _ALL_ROLES[self.role]


def check_permissions(permissions: Iterable[str]) -> frozenset[str]:
    """Return the permissions as a set.

    Raises: PermissionUnknown.
    """
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise PermissionUnknown(permission=permission)
    return frozenset(permissions)


def check_role(role: str, shop_id: UUID | None, *, of_platform: bool = False) -> None:
    """Refuse a role that does not exist there or does not fit the shop.

    The platform has roles of its own, which no tenant can give, and none of a tenant's.
    Raises: RoleUnknown, RoleShopMismatch.
    """
    if role not in (OPERATOR_ROLES if of_platform else ROLES):
        raise RoleUnknown(role=role)
    if (role in SHOP_ROLES) != (shop_id is not None):
        raise RoleShopMismatch(role=role)


def check_limits(limits: Limits) -> None:
    """Refuse limits that nothing could be done with.

    Raises: LimitsInvalid.
    """
    if not all(1 <= value <= LIMIT_MAX for value in asdict(limits).values()):
        raise LimitsInvalid(most=LIMIT_MAX)


def check_name(text: str) -> str:
    """Return the name of a client or a person without the blanks around it.

    Raises: NameUnfit.
    """
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or _UNSHOWN.search(name):
        raise NameUnfit(most=NAME_LENGTH_MAX)
    return name


def normalise_email(text: str) -> str:
    """Return the form by which an e-mail address is found again.

    Raises: EmailInvalid.
    """
    email = unicodedata.normalize("NFKC", text).strip().casefold()
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        raise EmailInvalid
    return email


def normalise_password(text: str) -> str:
    """Return the form of a password that is hashed: the same however it was typed."""
    return unicodedata.normalize("NFKC", text)


def check_password(password: str) -> str:
    """Return the normalised form of a new password.

    Raises: PasswordUnfit.
    """
    normalised = normalise_password(password)
    if not PASSWORD_LENGTH_MIN <= len(normalised) <= PASSWORD_LENGTH_MAX:
        raise PasswordUnfit(least=PASSWORD_LENGTH_MIN, most=PASSWORD_LENGTH_MAX)
    return normalised


def new_client_id() -> str:
    """Make the id of a new client: letters and digits, so that no shell or URL needs quoting."""
    symbols = string.ascii_letters + string.digits
    return "".join(secrets.choice(symbols) for _ in range(CLIENT_ID_LENGTH))


def new_secret() -> str:
    """Make the secret of a new client, too long to be guessed."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret that we made: 128 random bits or more need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def is_secret(secret: str, secret_hash: bytes) -> bool:
    """Whether ``secret`` is the one that was hashed, in a time that tells nothing."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)


def access_claims(
    issuer: Issuer, granted: Granted, permissions: Iterable[str], *, token_id: str, at: int
) -> dict[str, Any]:
    """Write the claims of a machine's access token."""
    allowed = [name for name in PERMISSIONS if name in frozenset(permissions)]
    claims: dict[str, Any] = {
        "iss": issuer.address,
        "aud": issuer.audience,
        "sub": f"{granted.client_id}@clients",
        "client_id": granted.client_id,
        "jti": token_id,
        "iat": at,
        "exp": at + MACHINE_TOKEN_LIFE_S,
        "scope": " ".join(allowed),
        "permissions": allowed,
        "org_id": granted.org_id,
    }
    if granted.shop_id is not None:
        claims[SHOP_CLAIM] = str(granted.shop_id)
    if granted.limits != DEFAULT_LIMITS:
        claims[LIMITS_CLAIM] = asdict(granted.limits)
    return claims


def session_claims(
    issuer: Issuer, membership: Membership, *, session_id: UUID, token_id: str, at: int
) -> dict[str, Any]:
    """Write the claims of the access token that a person's session carries."""
    claims: dict[str, Any] = {
        "iss": issuer.address,
        "aud": issuer.audience,
        "sub": str(membership.person_id),
        "client_id": WEB_CLIENT_ID,
        "sid": str(session_id),
        "jti": token_id,
        "iat": at,
        "exp": at + SESSION_TOKEN_LIFE_S,
        "permissions": [
            name for name in (*PERMISSIONS, *OPERATOR_PERMISSIONS) if name in membership.permissions
        ],
        "org_id": membership.org_id,
        ROLE_CLAIM: membership.role,
    }
    if membership.shop_id is not None:
        claims[SHOP_CLAIM] = str(membership.shop_id)
    return claims


_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


def name_agent(user_agent: str) -> str:
    """Return what of a browser's description tells somebody which of theirs it is, and no more."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)[:AGENT_LENGTH_MAX]


def new_invitation_secret() -> str:
    """Make the secret part of an invitation's link, of letters and digits that survive a mail."""
    return secrets.token_hex(INVITATION_SECRET_BYTES)


def judge_header(header: Mapping[str, Any]) -> str:
    """Return the key id of a token's header; whatever else the header offers is not looked at.

    Raises: TokenRefused.
    """
    if header.get("alg") != "RS256":
        reason = "algorithm"
    elif str(header.get("typ", "")).lower() != TOKEN_TYPE:
        reason = "type"
    elif "crit" in header:
        reason = "critical header"
    elif not isinstance(header.get("kid"), str):
        reason = "no key id"
    else:
        return str(header["kid"])
    raise TokenRefused(reason)


def judge_claims(payload: Mapping[str, Any], issuer: Issuer, *, key_id: str, at: float) -> Claims:
    """Return what a token with a good signature says, if it is for us and of this hour.

    Raises: TokenRefused.
    """
    if payload.get("iss") != issuer.address:
        reason = "issuer"
        raise TokenRefused(reason)
    if payload.get("aud") != issuer.audience:
        reason = "audience"
        raise TokenRefused(reason)
    issued_at, expires_at = _seconds(payload, "iat"), _seconds(payload, "exp")
    starts_at = _seconds(payload, "nbf") if "nbf" in payload else issued_at
    if at >= expires_at + CLOCK_LEEWAY_S:
        reason = "expired"
        raise TokenRefused(reason)
    if at < max(issued_at, starts_at) - CLOCK_LEEWAY_S:
        reason = "not yet valid"
        raise TokenRefused(reason)
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
        shop_id=_shop(payload),
        limits=_limits(payload),
        issued_at=issued_at,
        expires_at=expires_at,
        key_id=key_id,
        session_id=_session(payload),
        role=_text(payload, ROLE_CLAIM) if ROLE_CLAIM in payload else "",
    )


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
    try:
        UUID(_text(payload, "sub"))
        return UUID(_text(payload, "sid"))
    except ValueError:
        reason = "session"
        raise TokenRefused(reason) from None


def _shop(payload: Mapping[str, Any]) -> UUID | None:
    if SHOP_CLAIM not in payload:
        return None
    try:
        return UUID(_text(payload, SHOP_CLAIM))
    except ValueError:
        reason = "shop"
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
