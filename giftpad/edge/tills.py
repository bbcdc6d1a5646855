"""Who is at a tablet of a shop: the holder of its sealed cookie, on the pages of the till only.

Hides: the secret of the tablet and the short token in one cookie, when they are exchanged, when a
tablet that nobody touches is locked.  On no other page is a tablet somebody who has signed in: a
PIN opens the till, and not the account of the clerk who types it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

from flask import Response, g, request

from giftpad import tills
from giftpad.edge.callers import Caller, identify_token
from giftpad.edge.cookies import clear_cookie, read_sealed_cookie, set_sealed_cookie
from giftpad.edge.errors import TokenInvalid

TERMINAL_COOKIE = "gp_terminal"
RENEWED_BEFORE_S = 60
TOUCHED_EVERY_S = 60
TILL_PATHS = ("/shop/", "/balance/", "/Q/", "/preferences/")
"""Where a tablet counts: the till, a coupon that its own camera has opened, and the language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTerminal:
    """What a tablet shows: which one it is, and its secret."""

    tenant_id: UUID
    terminal_id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatedTerminal:
    """The tablet that this page is on, and whether a clerk is at it who can lock it."""

    name: str
    has_clerk: bool


def held_terminal() -> HeldTerminal | None:
    """Return which tablet this browser is, if it is one."""
    held = _read()
    if held is None:
        return None
    return HeldTerminal(
        tenant_id=UUID(held["tenant"]),
        terminal_id=UUID(held["terminal"]),
        secret=held["secret"],
    )


def _read() -> dict[str, Any] | None:
    return read_sealed_cookie(TERMINAL_COOKIE)


def is_till_page() -> bool:
    """Whether this page is one that a tablet is for."""
    return f"{request.path}/".startswith(TILL_PATHS)


def is_locked_tablet() -> bool:
    """Whether somebody at a tablet wants a page of the till, or sends a form of one without script.

    A script hears that nobody is signed in, and opens the page anew.
    """
    is_whole = (
        "HX-Request" not in request.headers
        and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    )
    return is_whole and is_till_page() and held_terminal() is not None


def find_till_caller() -> Caller | None:
    """Return who is at this tablet; None if it is locked, or if this is no page of the till."""
    held = _read() if is_till_page() else None
    if held is None or "token" not in held:
        return None
    now = time.time()
    if held["has_clerk"] and now - held["touched_at"] >= tills.TILL_LOCKED_AFTER_S:
        return None
    try:
        if now < held["token_over_at"] - RENEWED_BEFORE_S:
            caller = _bearer(held)
            if now - held["touched_at"] >= TOUCHED_EVERY_S:
                g.terminal_kept = held | {"touched_at": int(now)}
            return caller
    except TokenInvalid:
        pass  # revoked, or its signing key is: the tablet itself knows which
    return _renewed(held)


def _renewed(held: dict[str, Any]) -> Caller | None:
    try:
        opened = tills.renew_till(
            UUID(held["tenant"]), UUID(held["terminal"]), held["secret"], UUID(held["session"])
        )
        content = _content(opened)
        caller = _bearer(content)
    except (tills.TerminalOver, tills.TillLocked, TokenInvalid):
        return None
    g.terminal_kept = content
    return caller


def _bearer(held: dict[str, Any]) -> Caller:
    caller = identify_token(held["token"])
    assert caller.person is not None
    g.terminal_seated = SeatedTerminal(name=held["terminal_name"], has_clerk=held["has_clerk"])
    return replace(caller, person=replace(caller.person, name=held["name"]))


def seated_terminal() -> SeatedTerminal | None:
    """Return the tablet that this page's caller is at, if they are at one."""
    return cast("SeatedTerminal | None", g.get("terminal_seated"))


def _content(opened: tills.OpenedTill) -> dict[str, Any]:
    return {
        "tenant": str(opened.tenant_id),
        "terminal": str(opened.terminal_id),
        "secret": opened.secret,
        "session": str(opened.session_id),
        "token": opened.token,
        "token_over_at": opened.token_over_at,
        "name": opened.name,
        "terminal_name": opened.terminal_name,
        "has_clerk": opened.has_clerk,
        "touched_at": int(time.time()),
    }


def keep_terminal(response: Response, paired: tills.PairedTerminal | HeldTerminal) -> None:
    """Let this browser be a tablet of a shop, which is locked.

    Raises: ConnectionOpen.
    """
    content = {
        "tenant": str(paired.tenant_id),
        "terminal": str(paired.terminal_id),
        "secret": paired.secret,
    }
    _set(response, content)


def seat_at_terminal(response: Response, opened: tills.OpenedTill) -> None:
    """Let whoever has opened this tablet take payments on it.

    Raises: ConnectionOpen.
    """
    _set(response, _content(opened))


def forget_terminal(response: Response) -> None:
    """Let this browser be no tablet any more."""
    g.pop("terminal_kept", None)
    clear_cookie(response, TERMINAL_COOKIE)


def _set(response: Response, content: dict[str, Any]) -> None:
    g.pop("terminal_kept", None)
    set_sealed_cookie(response, TERMINAL_COOKIE, content, tills.TERMINAL_LIFE_S)


def keep_seat(response: Response) -> None:
    """Put what was exchanged during a request into the tablet's cookie."""
    kept = g.pop("terminal_kept", None)
    if kept is not None:
        set_sealed_cookie(response, TERMINAL_COOKIE, kept, tills.TERMINAL_LIFE_S)
