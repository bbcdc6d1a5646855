"""Secrets that we make and whoever holds them shows: codes, links, cookies of tablets.

Hides: how long one is, and the hash that is kept of it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

CODE_BYTES = 32


def new_code() -> str:
    """Make a secret that nobody guesses: 256 random bits, of letters that a URL can hold."""
    return secrets.token_urlsafe(CODE_BYTES)


def hash_secret(secret: str) -> bytes:
    """Return what is kept of a secret that we made: 128 random bits or more need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def is_secret(secret: str, secret_hash: bytes) -> bool:
    """Whether ``secret`` is the one that was hashed, in a time that tells nothing."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)
