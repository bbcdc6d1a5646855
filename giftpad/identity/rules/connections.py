"""What a connection to a tenant's own identity provider may be, and what its ID token must say.

Values, no state.  A connection names the algorithms that may have signed: asymmetric ones by a key
that the provider publishes, or HS256 by the secret of the connection, never either of both.

Source: OpenID Connect Core 1.0, sections 3.1.3.6 and 3.1.3.7; RFC 8725; RFC 9207; RFC 7636.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from giftpad.identity.errors import ConnectionUnfit, FederationRefused
from giftpad.identity.rules.oauth import half_hash
from giftpad.identity.rules.tokens import CLOCK_LEEWAY_S

BY_PUBLIC_KEY = ("RS256", "PS256", "ES256")
BY_SECRET = "HS256"  # noqa: S105 - the name of an algorithm
CONNECTION_ALGORITHMS = (*BY_PUBLIC_KEY, BY_SECRET)
SECRET_PLACES = ("header", "body")
FEDERATED_METHOD = "fed"
STARTED_LIFE_S = 600
TOKEN_AGE_MAX_S = 600
ADDRESS_LENGTH_MAX = 500
PORTS = (None, 443, 8443)
SECRET_BYTES_MIN = 32
SCOPES_MAX = 20
CALLBACK_PATH = "sign-in/back"
"""Where every provider sends people back to, below our own issuer."""
_SUBJECT = re.compile(r"[!-~]{1,255}")
_CLIENT_ID = re.compile(r"[!-~]{1,255}")
_SCOPE = re.compile(r"[!#-\[\]-~]{1,100}")
_ADDRESS = re.compile(r"[!-~]+")


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address that can be asked; None if it is none."""
    if len(address) > ADDRESS_LENGTH_MAX or not _ADDRESS.fullmatch(address):
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or parts.fragment or "\\" in address:
        return None
    return parts if parts.scheme in ("http", "https") else None


def is_here(address: str) -> bool:
    """Whether an address names this very machine, whatever a name server says."""
    parts = _split(address)
    host = parts.hostname if parts is not None else None
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def is_usable_endpoint(address: str, issuer: str) -> bool:
    """Whether an issuer may send us to an address: by https, and to this machine from it only.

    >>> is_usable_endpoint("https://login.example/token", "https://login.example")
    True
    >>> is_usable_endpoint("http://127.0.0.1:6379/", "https://login.example")
    False
    """
    parts = _split(address)
    if parts is None:
        return False
    if is_here(address) or is_here(issuer):
        return is_here(address) and is_here(issuer)
    return parts.scheme == "https" and parts.port in PORTS


def check_issuer(address: str) -> str:
    """Return the name of an issuer as its tokens say it.

    Raises: ConnectionUnfit.
    """
    if not is_usable_endpoint(address, address) or urlsplit(address).query:
        raise ConnectionUnfit(
            reason="the issuer is an https address as its tokens say it, to the letter"
        )
    return address


def check_algorithms(algorithms: Collection[str], secret: str | None) -> list[str]:
    """Return the algorithms of a connection; HS256 stands alone, and needs a long secret.

    Raises: ConnectionUnfit.
    """
    unknown = sorted(set(algorithms) - set(CONNECTION_ALGORITHMS))
    if unknown or not algorithms:
        raise ConnectionUnfit(reason=f"the algorithms are among {', '.join(CONNECTION_ALGORITHMS)}")
    if BY_SECRET in algorithms:
        if len(set(algorithms)) > 1:
            raise ConnectionUnfit(reason="HS256 goes with no other algorithm")
        if secret is None or len(secret.encode()) < SECRET_BYTES_MIN:
            raise ConnectionUnfit(
                reason=f"HS256 needs a client secret of {SECRET_BYTES_MIN} bytes or more"
            )
    return sorted(set(algorithms))


def check_client(client_id: str, secret: str | None) -> None:
    """Refuse what no provider calls a client.

    Raises: ConnectionUnfit.
    """
    if not _CLIENT_ID.fullmatch(client_id):
        raise ConnectionUnfit(reason="the client id is printable, without blanks")
    if secret is not None and not (secret and secret.isascii() and secret.isprintable()):
        raise ConnectionUnfit(reason="the client secret is one printable line")


def check_scopes(scopes: Collection[str]) -> list[str]:
    """Return the scopes to ask for; openid is always among them.

    Raises: ConnectionUnfit.
    """
    whole = list(dict.fromkeys(("openid", *scopes)))
    if len(whole) > SCOPES_MAX or not all(_SCOPE.fullmatch(scope) for scope in whole):
        raise ConnectionUnfit(reason=f"there are {SCOPES_MAX} scopes at most, without blanks")
    return whole


def new_proof() -> str:
    """Make a state, a nonce or a PKCE verifier: 43 symbols of 256 random bits."""
    return secrets.token_urlsafe(32)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_same(one: object, other: str) -> bool:
    """Whether something that came from outside is what we keep, in a time that tells nothing."""
    return isinstance(one, str) and hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode()
    )


def judge_id_header(
    header: Mapping[str, Any], algorithms: Collection[str]
) -> tuple[str, str | None]:
    """Return algorithm and key id of an ID token; keys that it offers are not looked at.

    Raises: FederationRefused.
    """
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        reason = "algorithm"
    elif str(header.get("typ", "JWT")).upper() != "JWT":
        reason = "type"
    elif "crit" in header:
        reason = "critical header"
    elif kid is not None and not isinstance(kid, str):
        reason = "key id"
    else:
        return algorithm, kid
    raise FederationRefused(reason)


def judge_id_token(
    payload: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: object,
    at: float,
) -> str:
    """Return whom an ID token with a good signature is about, if it answers our question.

    Raises: FederationRefused.
    """
    faults = {
        "issuer": payload.get("iss") != issuer,
        "audience": not _is_for(payload, client_id),
        "times": not _is_of_this_hour(payload, at),
        "nonce": not is_same(payload.get("nonce"), nonce),
        "at_hash": not _fits(payload, access_token),
    }
    for reason, is_fault in faults.items():
        if is_fault:
            raise FederationRefused(reason)
    subject = payload.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        reason = "subject"
        raise FederationRefused(reason)
    return subject


def _is_for(payload: Mapping[str, Any], client_id: str) -> bool:
    audience, party = payload.get("aud"), payload.get("azp")
    if isinstance(audience, list):
        is_meant = client_id in audience and (len(audience) == 1 or party is not None)
    else:
        is_meant = audience == client_id
    return is_meant and party in (None, client_id)


def _is_of_this_hour(payload: Mapping[str, Any], at: float) -> bool:
    issued_at, expires_at = payload.get("iat"), payload.get("exp")
    begins_at = payload.get("nbf", 0)
    instants = (issued_at, expires_at, begins_at)
    if not all(type(each) in (int, float) for each in instants):
        return False
    assert issued_at is not None
    assert expires_at is not None
    return bool(
        expires_at > at - CLOCK_LEEWAY_S
        and begins_at < at + CLOCK_LEEWAY_S
        and -TOKEN_AGE_MAX_S < issued_at - at < CLOCK_LEEWAY_S
    )


def _fits(payload: Mapping[str, Any], access_token: object) -> bool:
    """Whether an ID token is of the access token beside it, where it says so at all."""
    if "at_hash" not in payload:
        return True
    if not isinstance(access_token, str) or not access_token.isascii():
        return False
    return is_same(payload["at_hash"], half_hash(access_token))
