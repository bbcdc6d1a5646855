"""What a client of the provider is, may ask for, and gets: values, no state.

Source: RFC 6749; RFC 7636; RFC 8628; RFC 9700; OpenID Connect Core 1.0.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import secrets
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from giftpad.identity.errors import AddressUnfit, AudienceUnfit, ClientUnfit
from giftpad.identity.rules.roles import OPERATOR_PERMISSIONS, PERMISSIONS, Membership
from giftpad.identity.rules.tokens import (
    GRANT_CLAIM,
    ROLE_CLAIM,
    SESSION_TOKEN_LIFE_S,
    SHOP_CLAIM,
    Issuer,
    client_claims,
    subject_of,
)
from giftpad.kernel.bearer import hash_secret

CLIENT_KINDS = ("machine", "web", "spa", "device")
SECRET_KINDS = frozenset({"machine", "web"})
TOKEN_PROFILES = ("rfc9068", "auth0")
PERSONAL_SCOPES = ("openid", "profile", "email", "offline_access")

CODE_LIFE_S = 60
ID_TOKEN_LIFE_S = 3600
REFRESH_LIFE_S = 30 * 24 * 3600
REFRESH_IDLE_S = 14 * 24 * 3600
DEVICE_LIFE_S = 900
DEVICE_INTERVAL_S = 5
LEEWAY_MAX_S = 60
ADDRESSES_MAX = 20
ADDRESS_LENGTH_MAX = 500
ID_TOKEN_TYPE = "JWT"  # noqa: S105 - a media type

USER_CODE_SYMBOLS = "BCDFGHJKLMNPQRSTVWXZ"
USER_CODE_PART = 4
_USER_CODE_NOISE = re.compile("[\\s\\-\u2010-\u2015\u30fc]+")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_NETLOC = re.compile(r"[a-z0-9.\-\[\]]+(:[0-9]{1,5}|[0-9a-f:]*\](:[0-9]{1,5})?)?")
_PLAIN = re.compile(r"[ !#-\[\]-~]*")
_LOOPBACK = frozenset({"localhost"})


def check_kind(kind: str, redirect_uris: Collection[str]) -> None:
    """Refuse a client that could never do anything.

    Raises: ClientUnfit.
    """
    if kind not in CLIENT_KINDS:
        raise ClientUnfit(reason=f"its type is one of {', '.join(CLIENT_KINDS)}")
    if kind in ("web", "spa") and not redirect_uris:
        raise ClientUnfit(
            reason="people who sign in must be sent back somewhere, so name a redirect URI"
        )
    if kind in ("machine", "device") and redirect_uris:
        raise ClientUnfit(
            reason="nobody is sent back to a machine or a device, so name no redirect URI"
        )


def check_browser_ways(kind: str, logout_uris: Collection[str], origins: Collection[str]) -> None:
    """Refuse ways through a browser for a client that nobody uses by one.

    Raises: ClientUnfit.
    """
    if kind in ("machine", "device") and logout_uris:
        raise ClientUnfit(
            reason="nobody signs out from a machine or a device, so name no logout URI"
        )
    if kind == "machine" and origins:
        raise ClientUnfit(reason="no script may know a machine's secret, so name no origin")


def check_addresses(addresses: Iterable[str]) -> list[str]:
    """Return addresses that people may be sent to: https, or http on one's own machine.

    Raises: AddressUnfit.
    """
    found = list(dict.fromkeys(addresses))
    if len(found) > ADDRESSES_MAX:
        raise AddressUnfit(address=found[ADDRESSES_MAX])
    for address in found:
        _check_address(address)
    return found


def check_origins(origins: Iterable[str]) -> list[str]:
    """Return origins whose scripts may call us: a scheme, a host, a port and nothing more.

    Raises: AddressUnfit.
    """
    found = check_addresses(origins)
    for origin in found:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}":
            raise AddressUnfit(address=origin)
    return found


def _check_address(address: str) -> None:
    plain = address.isascii() and address.isprintable() and len(address) <= ADDRESS_LENGTH_MAX
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise AddressUnfit(address=address) from None
    is_open = parts.scheme == "http" and is_loopback_name(host)
    if (
        not plain
        or " " in address
        or "\\" in address
        or "#" in address
        or "*" in address
        or "@" in parts.netloc
        or not _NETLOC.fullmatch(parts.netloc)
        or not host
        or not (parts.scheme == "https" or is_open)
    ):
        raise AddressUnfit(address=address)


def is_loopback_name(host: str) -> bool:
    """Whether a host name or address never leaves the machine it is used on."""
    if host in _LOOPBACK:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(address: str) -> str:
    """Return the origin of an address that ``check_addresses`` has passed."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def check_audience(audience: str, issuer: Issuer) -> str:
    """Return the name of an API that is not ours: an address or a URN.

    Raises: AudienceUnfit.
    """
    mine = audience.startswith(issuer.address.rstrip("/"))
    is_plain = audience.isascii() and audience.isprintable() and " " not in audience
    if mine or not is_plain or not 1 <= len(audience) <= ADDRESS_LENGTH_MAX:
        raise AudienceUnfit(audience=audience)
    if not urlsplit(audience).scheme:
        raise AudienceUnfit(audience=audience)
    return audience


def new_user_code() -> str:
    """Make the code that a device shows and a person types: no vowels, so no words."""
    parts = (
        "".join(secrets.choice(USER_CODE_SYMBOLS) for _ in range(USER_CODE_PART)) for _ in range(2)
    )
    return "-".join(parts)


def hash_user_code(text: str) -> bytes:
    """Return what such a code is found by, with or without blanks and hyphens, in any case."""
    return hash_secret(_bare_user_code(text))


def show_user_code(text: str) -> str:
    """Return such a code as its device shows it, however somebody typed it."""
    bare = _bare_user_code(text)
    return "-".join((bare[:USER_CODE_PART], bare[USER_CODE_PART:]))


def _bare_user_code(text: str) -> str:
    return _USER_CODE_NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()


def is_challenge(challenge: str) -> bool:
    """Whether a text can be the S256 challenge of a code verifier."""
    return _CHALLENGE.fullmatch(challenge) is not None


def fits_challenge(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the one whose challenge came with the request."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return secrets.compare_digest(_unpadded(digest), challenge)


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def is_plain_text(text: str) -> bool:
    """Whether a text can stand in the description of an error, as RFC 6749 limits it."""
    return _PLAIN.fullmatch(text) is not None


def split_scope(scope: str | None) -> list[str]:
    """Return the names of a scope, each once, in their order."""
    return list(dict.fromkeys((scope or "").split()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """What a person lets a client do: ``allowed`` is the most of the client, ``names`` the scope.

    An empty ``audience`` is for asking who they are, and nothing else.
    """

    membership: Membership
    client_id: str
    allowed: frozenset[str]
    names: tuple[str, ...]
    audience: str
    profile: str
    session_id: UUID
    authorisation_id: UUID


def person_claims(issuer: Issuer, given: Delegated, *, token_id: str, at: int) -> dict[str, Any]:
    """Write the claims of the access token that a client bears for a person."""
    membership = given.membership
    permissions = [
        name
        for name in (*PERMISSIONS, *OPERATOR_PERMISSIONS)
        if name in membership.permissions and name in given.allowed
    ]
    audiences = [given.audience] if given.audience else []
    if "openid" in given.names or not audiences:
        audiences.append(issuer.userinfo)
    granted = [name for name in given.names if name in PERSONAL_SCOPES or name in permissions]
    claims: dict[str, Any] = {
        "iss": issuer.address,
        "aud": audiences if len(audiences) > 1 else audiences[0],
        "sub": subject_of(membership.person_id),
        "iat": at,
        "exp": at + SESSION_TOKEN_LIFE_S,
        "scope": " ".join(granted),
        "sid": str(given.session_id),
        "org_id": membership.org_id,
        GRANT_CLAIM: str(given.authorisation_id),
    }
    if given.audience:
        claims["permissions"] = permissions
    if given.audience == issuer.audience:
        claims[ROLE_CLAIM] = membership.role
        if membership.shop_id is not None:
            claims[SHOP_CLAIM] = str(membership.shop_id)
    return claims | client_claims(given.client_id, token_id, given.profile)


def half_hash(token: str) -> str:
    """Return the ``at_hash`` of an access token for RS256."""
    digest = hashlib.sha256(token.encode("ascii")).digest()
    return _unpadded(digest[: len(digest) // 2])
