"""The public keys of another issuer, read where it publishes them.

Hides: the form of a key set.  The address is a setting and comes from no token.

Source: RFC 7517; OpenID Connect Discovery 1.0, section 4.3.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64decode

from giftpad.identity.adapters.calls import OutsideUnread, ask_json

DISCOVERY_PATH = ".well-known/openid-configuration"
KEYS_PATH = ".well-known/jwks.json"
WITHIN_S = 5.0
KEYS_MAX = 50
KEY_BYTES_MIN = 256
"""2,048 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that signatures are checked with; for every algorithm, if it names none."""

    key: RSAKey
    algorithm: str | None


def read_key_set(issuer: str) -> dict[str, PublicKey]:
    """Return the keys of an issuer by their ids, if it calls itself by the name we know it by.

    Raises: OutsideUnread.
    """
    ends_at = time.monotonic() + WITHIN_S
    said = ask_json(issuer + DISCOVERY_PATH, ends_at)
    if said.get("issuer") != issuer:
        message = "it calls itself by another name"
        raise OutsideUnread(message)
    return parse_key_set(ask_json(issuer + KEYS_PATH, ends_at))


def parse_key_set(content: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Return the RSA keys of a key set that are there for signatures; private halves are not read.

    An empty set is a set: whoever has revoked all keys believes nothing signed before.
    Raises: OutsideUnread.
    """
    listed = content.get("keys")
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        message = "this is no set of keys"
        raise OutsideUnread(message)
    found: dict[str, PublicKey] = {}
    for each in listed:
        if not isinstance(each, dict) or each.get("kty") != "RSA":
            continue
        kid, algorithm = each.get("kid"), each.get("alg")
        if not isinstance(kid, str) or each.get("use", "sig") != "sig":
            continue
        if kid in found:
            message = "two keys have one id"
            raise OutsideUnread(message)
        key = _import_key(each)
        if key is not None:
            found[kid] = PublicKey(key=key, algorithm=algorithm)
    return found


def _import_key(said: Mapping[str, Any]) -> RSAKey | None:
    """Return a public key; None if it is too short to be believed."""
    try:
        if len(urlsafe_b64decode(said["n"].encode()).lstrip(b"\0")) < KEY_BYTES_MIN:
            return None
        return RSAKey.import_key({"kty": "RSA", "n": said["n"], "e": said["e"]})
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        message = "a key cannot be read"
        raise OutsideUnread(message) from error
