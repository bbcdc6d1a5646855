"""Which other origins' scripts may call the provider: those that a client names, and no cookies.

Source: WHATWG Fetch, CORS protocol.
"""

from __future__ import annotations

import re
import time

from flask import Response, request

from giftpad import identity
from giftpad.kernel.errors import Unavailable

KEPT_S = 30.0
KEPT_MAX = 1000
PREFLIGHT_KEPT_S = 600
ENDPOINTS = frozenset(
    {
        "oidc.token",
        "oidc.revoke",
        "oidc.device_code",
        "oidc.userinfo",
        "oidc.userinfo_by_form",
        "oidc.discovery",
        "oidc.keys",
    }
)
ALLOWED_HEADERS = "Authorization, Content-Type, Auth0-Client"
EXPOSED_HEADERS = (
    "WWW-Authenticate, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]{1,255}")


class _Known:
    """What was found of an origin lately; forgotten after ``KEPT_S``."""

    origins: dict[str, tuple[float, bool]] = {}  # noqa: RUF012 - one per process, by design


def _is_known(origin: str) -> bool:
    if not _ORIGIN.fullmatch(origin):
        return False
    found = _Known.origins.get(origin)
    if found is not None and time.monotonic() - found[0] < KEPT_S:
        return found[1]
    try:
        known = identity.is_known_origin(origin)
    except Unavailable:
        return False
    if len(_Known.origins) >= KEPT_MAX:
        _Known.origins.clear()
    _Known.origins[origin] = (time.monotonic(), known)
    return known


def allow_origins(response: Response) -> Response:
    """Let the scripts of a known origin read an answer of the provider."""
    origin = request.headers.get("Origin")
    if request.endpoint not in ENDPOINTS or origin is None:
        return response
    response.headers.add("Vary", "Origin")
    if not _is_known(origin):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_KEPT_S)
    return response
