"""Signing: one key signs, and its id stands in the header.

Source: RFC 7515; RFC 9068.
"""

from __future__ import annotations

from typing import Any

from joserfc import jwt

from giftpad.identity.commands.keys import ensure_keys
from giftpad.identity.queries import find_signer
from giftpad.identity.rules import TOKEN_TYPE


def sign_claims(claims: dict[str, Any], *, type_: str = TOKEN_TYPE) -> str:
    """Return a token that says this, signed by the key that signs now."""
    if find_signer() is None:
        ensure_keys()
    signer = find_signer()
    assert signer is not None
    kid, key = signer
    return jwt.encode({"alg": "RS256", "typ": type_, "kid": kid}, claims, key, algorithms=["RS256"])
