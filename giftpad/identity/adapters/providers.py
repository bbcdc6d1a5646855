"""Identity providers of tenants: what they publish, and what they answer to a code.

Hides: the form of discovery, how a client proves itself, which key of a set fits.  Everything is
asked at addresses that were remembered with the issuer, and nothing else is believed of them.

Source: OpenID Connect Discovery 1.0, sections 3 and 4.3; RFC 6749, sections 2.3.1 and 4.1.3.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

from giftpad.identity.adapters.calls import OutsideUnread, ask_json
from giftpad.identity.adapters.key_sets import DISCOVERY_PATH, KEY_BYTES_MIN, KEYS_MAX
from giftpad.identity.rules import is_here, is_usable_endpoint

WITHIN_S = 5.0
_CURVES = {"ES256": "P-256"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What an issuer says of itself, as far as we use it."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    promises_issuer: bool
    """Whether it names itself in the address that it sends people back to."""
    algorithms: tuple[str, ...]
    secret_in: tuple[str, ...]
    """Where it reads a client's secret: in the header, or in the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """What a code is exchanged with."""

    client_id: str
    secret: str | None = field(repr=False)
    secret_in: str
    code: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str


class InnerHosts:
    """Providers inside this network that whoever runs the installation lets us ask."""

    names: frozenset[str] = frozenset()


def bind_inner_hosts(text: str) -> None:
    """Let providers with these host names, between commas, lie inside this network."""
    InnerHosts.names = frozenset(part.strip().lower() for part in text.split(",") if part.strip())


def _may_be_inside(address: str) -> bool:
    return is_here(address) or (urlsplit(address).hostname or "") in InnerHosts.names


def end_of_call() -> float:
    """Return by when everything that is asked of a provider at once must be answered."""
    return time.monotonic() + WITHIN_S


def read_provider(issuer: str) -> Provider:
    """Return what an issuer says of itself, if it calls itself by exactly this name.

    Raises: OutsideUnread.
    """
    said = ask_json(
        f"{issuer.removesuffix('/')}/{DISCOVERY_PATH}",
        end_of_call(),
        may_be_inside=_may_be_inside(issuer),
    )
    if said.get("issuer") != issuer:
        message = f"it calls itself {said.get('issuer')!r}, which is another name"
        raise OutsideUnread(message)
    methods = _texts(said, "token_endpoint_auth_methods_supported") or ("client_secret_basic",)
    ways = {"client_secret_basic": "header", "client_secret_post": "body"}
    return Provider(
        authorization_endpoint=_endpoint(said, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(said, "token_endpoint", issuer),
        jwks_uri=_endpoint(said, "jwks_uri", issuer),
        promises_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        algorithms=_texts(said, "id_token_signing_alg_values_supported"),
        secret_in=tuple(ways[method] for method in methods if method in ways),
    )


def _texts(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = said.get(name)
    if not isinstance(found, list):
        return ()
    return tuple(each for each in found if isinstance(each, str))


def _endpoint(said: Mapping[str, Any], name: str, issuer: str) -> str:
    """Return an address of an issuer; this machine is meant only if the issuer is on it.

    Raises: OutsideUnread.
    """
    found = said.get(name)
    if not isinstance(found, str) or not is_usable_endpoint(found, issuer):
        message = f"its {name} cannot be used"
        raise OutsideUnread(message)
    return found


def read_keys(jwks_uri: str, ends_at: float) -> list[dict[str, Any]]:
    """Return the keys that an issuer publishes, as it writes them.

    Raises: OutsideUnread.
    """
    content = ask_json(jwks_uri, ends_at, may_be_inside=_may_be_inside(jwks_uri))
    listed = content.get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        message = "this is no set of keys"
        raise OutsideUnread(message)
    return [each for each in listed if isinstance(each, dict)]


def pick_key(
    listed: Sequence[Mapping[str, Any]], *, kid: str | None, algorithm: str
) -> RSAKey | ECKey | None:
    """Return the one key that a signature can be of; None if there is none, or more than one.

    Only the public halves are read, and a short one is no key.
    """
    found = [
        key
        for each in listed
        if (kid is None or each.get("kid") == kid)
        and each.get("use", "sig") == "sig"
        and each.get("alg", algorithm) == algorithm
        and (key := _import_key(each, algorithm)) is not None
    ]
    return found[0] if len(found) == 1 else None


def _import_key(said: Mapping[str, Any], algorithm: str) -> RSAKey | ECKey | None:
    curve = _CURVES.get(algorithm)
    try:
        if curve is not None:
            if (said.get("kty"), said.get("crv")) != ("EC", curve):
                return None
            return ECKey.import_key({"kty": "EC", "crv": curve, "x": said["x"], "y": said["y"]})
        if said.get("kty") != "RSA":
            return None
        if len(urlsafe_b64decode(said["n"].encode()).lstrip(b"\0")) < KEY_BYTES_MIN:
            return None
        return RSAKey.import_key({"kty": "RSA", "n": said["n"], "e": said["e"]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def redeem_code(token_endpoint: str, redemption: Redemption, ends_at: float) -> dict[str, Any]:
    """Return the tokens that a code is good for.

    Raises: OutsideUnread.
    """
    form = {
        "grant_type": "authorization_code",
        "code": redemption.code,
        "redirect_uri": redemption.redirect_uri,
        "code_verifier": redemption.verifier,
    }
    headers = {}
    if redemption.secret is not None and redemption.secret_in == "header":  # noqa: S105 - a place
        pair = f"{quote(redemption.client_id, safe='')}:{quote(redemption.secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = redemption.client_id
        if redemption.secret is not None:
            form["client_secret"] = redemption.secret
    return ask_json(
        token_endpoint,
        ends_at,
        form=form,
        headers=headers,
        may_be_inside=_may_be_inside(token_endpoint),
    )
