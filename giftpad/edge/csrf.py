"""A form counts only if one of our pages gave it to this very browser.

Hides: the token bound to the session, or to an anonymous visit before there is one; what a
browser says of where a request comes from.  Both must fit.

Source: OWASP Cross-Site Request Forgery Prevention; W3C Fetch Metadata.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from urllib.parse import urlsplit

from flask import Response, g, request

from giftpad import identity
from giftpad.edge.cookies import (
    can_keep_cookies,
    cookie_key,
    demand_private_connection,
    find_cookie_key,
    read_sealed_cookie,
    set_sealed_cookie,
)
from giftpad.edge.errors import BodyMalformed, FormForeign
from giftpad.edge.sessions import find_caller
from giftpad.kernel.log import get_logger
from giftpad.kernel.seal import derive

log = get_logger("edge")

FIELD, HEADER = "csrf", "HTTP_X_CSRF_TOKEN"
VISIT_COOKIE = "gp_visit"
VISIT_LIFE_S = 7 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_LABEL = "giftpad-csrf-v1"
_SALT_LENGTH = 16
_OWN_SITES = frozenset({"same-origin", "none"})


def csrf_token() -> str:
    """Return what a form drawn now must carry; it looks different each time."""
    kid, key = cookie_key()
    salt = bytes([kid]) + secrets.token_bytes(_SALT_LENGTH)
    return base64.urlsafe_b64encode(salt + _proof(key, salt, _binding(may_begin=True))).decode()


def _binding(*, may_begin: bool) -> str:
    """Name the session, or the visit, that a form belongs to; "" for none."""
    caller = find_caller()
    if caller is not None and caller.person is not None:
        return f"session:{caller.person.session_id}"
    if "visit" not in g:
        held = read_sealed_cookie(VISIT_COOKIE)
        g.visit = str(held["id"]) if held is not None else ""
    if not g.visit and may_begin:
        g.visit = secrets.token_hex(16)
        g.visit_began = True
    return f"visit:{g.visit}" if g.visit else ""


def _proof(key: bytes, salt: bytes, binding: str) -> bytes:
    return hmac.digest(derive(key, _LABEL), salt + binding.encode(), "sha256")


def check_form() -> None:
    """Refuse an unsafe request that another site made, or that carries no token of ours.

    Raises: ConnectionOpen, FormForeign, BodyMalformed.
    """
    demand_private_connection()
    if not _is_from_us():
        log.warning("form refused", reason="another site")
        raise FormForeign
    given = request.environ.get(HEADER) or request.form.get(FIELD, "")
    if any("\0" in value for value in request.form.values()):
        raise BodyMalformed
    if not _is_token(given, _binding(may_begin=False)):
        log.info("form refused", reason="no token of ours")
        raise FormForeign


def _is_token(given: str, binding: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(given.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        return False
    salt, proof = raw[: 1 + _SALT_LENGTH], raw[1 + _SALT_LENGTH :]
    # A form drawn before the ring got a new key was given by us as well, like its cookie.
    key = find_cookie_key(salt[0]) if salt else None
    return (
        key is not None and bool(binding) and hmac.compare_digest(proof, _proof(key, salt, binding))
    )


def _is_from_us() -> bool:
    """Judge by what the browser says itself.

    Our pages send no referrer, and then a browser says ``Origin: null`` of a form of theirs; it
    is believed where ``Sec-Fetch-Site`` does not say otherwise, because the token is asked for too.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN_SITES:
        return False
    origin = request.headers.get("Origin")
    return origin in (None, "null") or _origin(origin or "") in {
        _origin(request.host_url),
        _origin(identity.issuer().address),
    }


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()


def keep_visit(response: Response) -> None:
    """Let the browser keep the visit that a form of this answer belongs to."""
    if g.pop("visit_began", False) and can_keep_cookies():
        set_sealed_cookie(response, VISIT_COOKIE, {"id": g.visit}, VISIT_LIFE_S)
