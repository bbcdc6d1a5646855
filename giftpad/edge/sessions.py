"""Who looks at a page: the holder of a session cookie, and of nothing else.

Hides: the sealed cookie with the short token inside, when the token is renewed.  A request with
a token of this quarter of an hour costs no query; what was revoked is not believed though, as soon
as this process knows it: within 30 seconds.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from flask import Response, g, request
from werkzeug.http import parse_cookie

from giftpad import identity
from giftpad.edge.callers import Caller, identify_token
from giftpad.edge.cookies import (
    HOST_PREFIX,
    clear_cookie,
    open_cookie,
    read_sealed_cookie,
    set_sealed_cookie,
)
from giftpad.edge.errors import GiftClosed, SessionMissing, TenantClosed, TokenInvalid
from giftpad.edge.gifts import find_gift_caller, is_gift_page, keep_gift
from giftpad.edge.tills import TERMINAL_COOKIE, find_till_caller, keep_seat

SESSION_COOKIE = "gp_session"
RENEWED_BEFORE_S = 60
IPV6_PREFIX = 64


def holds_session(header: str) -> bool:
    """Whether a Cookie header holds a session or a tablet that we let in; it may have ended."""
    cookies = parse_cookie(header)
    return any(
        open_cookie(kind, cookies[name]) is not None
        for kind in (SESSION_COOKIE, TERMINAL_COOKIE)
        for name in (kind, HOST_PREFIX + kind)
        if name in cookies
    )


def find_caller() -> Caller | None:
    """Return who looks at this page, or None; an API request has no such caller.

    What went wrong on the way once in a request is nobody for the rest of it.
    """
    if not g.get("is_page", False):
        return None
    if "page_caller" not in g:
        g.page_caller = None
        try:
            g.page_caller = g.caller = _resolve()
        except TenantClosed:
            return None
    return cast("Caller | None", g.page_caller)


def let_person_in() -> Caller:
    """Return who looks at this page.

    Raises: SessionMissing, GiftClosed, TenantClosed, DatabaseAway, Busy.
    """
    g.page_caller = None
    caller = _resolve()
    if caller is None:
        raise GiftClosed if is_gift_page() else SessionMissing
    g.page_caller = g.caller = caller
    return caller


def _resolve() -> Caller | None:
    """Believe the token in the cookie, or one for which the session is good still."""
    if is_gift_page():
        return find_gift_caller()
    held = read_sealed_cookie(SESSION_COOKIE)
    if held is None:
        return find_till_caller()
    if time.time() < held["token_over_at"] - RENEWED_BEFORE_S:
        try:
            return _bearer(held)
        except TokenInvalid:
            pass  # revoked, or its signing key is: the session itself knows which
    try:
        opened = identity.renew_session(UUID(held["session"]), held["secret"])
        held = _content(opened)
        caller = _bearer(held)
    except (identity.SessionOver, TokenInvalid):
        g.session_is_over = True
        return None
    g.session_renewed = held
    return caller


def _bearer(held: dict[str, Any]) -> Caller:
    caller = identify_token(held["token"])
    assert caller.person is not None
    return replace(caller, person=replace(caller.person, name=held["name"]))


def _content(opened: identity.OpenedSession) -> dict[str, Any]:
    return {
        "session": str(opened.session_id),
        "secret": opened.secret,
        "token": opened.token,
        "token_over_at": opened.token_over_at,
        "name": opened.name,
    }


def start_session(response: Response, opened: identity.OpenedSession) -> None:
    """Sign this browser in; whatever session it had before is over.

    What is drawn after it is drawn for the session that begins.
    Raises: ConnectionOpen.
    """
    _end_current(but=opened.session_id)
    held = _content(opened)
    set_sealed_cookie(response, SESSION_COOKIE, held, identity.SESSION_LIFE_S)
    _forget_renewal()
    g.page_caller = g.caller = _bearer(held)


def end_session(response: Response) -> None:
    """Sign this browser out, and believe its session no more, elsewhere within 30 seconds."""
    _end_current(but=None)
    clear_cookie(response, SESSION_COOKIE)
    _forget_renewal()
    g.page_caller = None


def _end_current(*, but: UUID | None) -> None:
    """End the session of the cookie, even when its organisation is suspended by now.

    What apps got from it goes on with the next session, if that is the same person's.
    """
    held = read_sealed_cookie(SESSION_COOKIE)
    if held is None or UUID(held["session"]) == but:
        return
    try:
        identity.end_session(UUID(held["session"]), held["secret"], followed_by=but)
    except identity.SessionOver:
        return


def _forget_renewal() -> None:
    g.pop("session_renewed", None)
    g.pop("session_is_over", None)


def keep_session(response: Response) -> None:
    """Put a renewed token into the browser's cookie, or take back a cookie that is good no more."""
    renewed = g.pop("session_renewed", None)
    if renewed is not None:
        set_sealed_cookie(response, SESSION_COOKIE, renewed, identity.SESSION_LIFE_S)
    elif g.pop("session_is_over", False):
        clear_cookie(response, SESSION_COOKIE)
    keep_seat(response)
    keep_gift(response)


def is_navigation() -> bool:
    """Whether a person asked for a whole page, and not a script for a part of one."""
    return (
        request.method in ("GET", "HEAD")
        and "HX-Request" not in request.headers
        and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    )


def source_address() -> str:
    """Return from where this request comes: an IPv4 address, or the /64 network of an IPv6 one."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
