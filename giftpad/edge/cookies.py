"""Cookies and texts that only we can read, and that nobody can change or make.

Hides: AES-GCM under a key of the platform's ring, the names cookies go by.  By https a cookie is
``__Host-`` and Secure; by plain http there are cookies on this machine's own names only.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import time
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask import Response, request

from giftpad import tenancy
from giftpad.edge.errors import ConnectionOpen
from giftpad.kernel.seal import SealBroken, derive, open_sealed, seal

LABEL = "giftpad-cookies-v1"
HOST_PREFIX = "__Host-"
COOKIE_LENGTH_MAX = 4000
_LOOPBACK_NAMES = frozenset({"localhost", "localhost."})


@lru_cache(maxsize=8)
def _key(ring_key: bytes) -> bytes:
    return derive(ring_key, LABEL)


def cookie_key() -> tuple[int, bytes]:
    """Return the key of everything that goes out sealed today, with its number in the ring."""
    ring = tenancy.current_ring_key(tenancy.PLATFORM_TENANT_ID)
    return ring.kid, _key(ring.key)


def find_cookie_key(kid: int) -> bytes | None:
    """Return the key that something was sealed with, if the ring has it still."""
    ring = tenancy.find_ring_key(tenancy.PLATFORM_TENANT_ID, kid)
    return _key(ring.key) if ring is not None else None


def seal_text(purpose: str, value: dict[str, Any]) -> str:
    """Seal ``value`` as a text for an address or a hidden field; it opens for ``purpose`` only."""
    kid, key = cookie_key()
    plain = orjson.dumps([int(time.time()), value])
    sealed = bytes([kid]) + seal(key, plain, purpose)
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def open_text(purpose: str, text: str, max_age_s: float) -> dict[str, Any] | None:
    """Return what was sealed for ``purpose`` at most ``max_age_s`` ago; None if it was not."""
    opened = _open(purpose, text)
    if opened is None or time.time() - opened[0] >= max_age_s:
        return None
    return opened[1]


def _open(purpose: str, text: str) -> tuple[int, dict[str, Any]] | None:
    """Return when something was sealed for ``purpose``, and what."""
    try:
        raw = text.encode("ascii")
        sealed = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        key = find_cookie_key(sealed[0])
        if key is None:
            return None
        sealed_at, value = orjson.loads(open_sealed(key, sealed[1:], purpose))
    except (UnicodeEncodeError, binascii.Error, IndexError, SealBroken, ValueError):
        return None
    return sealed_at, value


def is_loopback() -> bool:
    """Whether the browser asked this machine by a name that never leaves it."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def can_keep_cookies() -> bool:
    """Whether what is sealed here reaches nobody but this browser and us."""
    return request.is_secure or is_loopback()


def demand_private_connection() -> None:
    """Refuse what needs a cookie when anybody on the way could take it.

    Raises: ConnectionOpen.
    """
    if not can_keep_cookies():
        raise ConnectionOpen


def _full_name(name: str) -> str:
    return HOST_PREFIX + name if request.is_secure else name


def set_sealed_cookie(response: Response, name: str, value: dict[str, Any], max_age_s: int) -> None:
    """Give the browser a value to keep for ``max_age_s`` that it can neither read nor change.

    Raises: ConnectionOpen.
    """
    demand_private_connection()
    text = seal_text(f"cookie:{name}", {"value": value, "over_at": int(time.time()) + max_age_s})
    assert len(text) <= COOKIE_LENGTH_MAX, f"the cookie {name} is too large to be kept"
    response.set_cookie(
        _full_name(name),
        text,
        max_age=max_age_s,
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )


def read_sealed_cookie(name: str) -> dict[str, Any] | None:
    """Return what ``set_sealed_cookie`` gave this browser; None if nothing, or if it is over."""
    text = request.cookies.get(_full_name(name))
    if text is None or not can_keep_cookies():
        return None
    return open_cookie(name, text)


def open_cookie(name: str, text: str) -> dict[str, Any] | None:
    """Return what a cookie's text holds; None if we did not seal it, or if it is over."""
    opened = _open(f"cookie:{name}", text)
    if opened is None or time.time() >= opened[1]["over_at"]:
        return None
    value: dict[str, Any] = opened[1]["value"]
    return value


def clear_cookie(response: Response, name: str) -> None:
    """Take a cookie back from the browser."""
    response.delete_cookie(
        _full_name(name), path="/", secure=request.is_secure, httponly=True, samesite="Lax"
    )
