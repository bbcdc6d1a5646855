"""Who has opened a gift: the holder of its sealed cookie, on the pages of gifts only.

Hides: the short token in the cookie, when it is signed anew.  On those pages nobody is anybody
else: a colleague of the sender who is signed in at the desk sees there what the link shows, and on
no other page is a recipient anybody at all.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Response, g, request

from giftpad import guard, identity, tenancy
from giftpad.edge.callers import Caller
from giftpad.edge.cookies import clear_cookie, read_sealed_cookie, set_sealed_cookie
from giftpad.edge.errors import TenantClosed
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Actor

log = get_logger("edge")

GIFT_COOKIE = "gp_gift"
GIFT_PATHS = ("/g/", "/G/")
GIFT_OPEN_S = 2 * 3600
"""How long a gift stays open in a browser that does nothing; the token in it is signed anew
whenever it is over, so that nobody loses what they type while they look for an address."""

GIFT_OPEN_LEAST_S = GIFT_OPEN_S - 30 * 60
"""How long a page keeps its gift open for sure: its token may be almost half an hour old, and is
not signed anew before that is over."""


def is_gift_page() -> bool:
    """Whether this page is one of a gift."""
    return f"{request.path}/".startswith(GIFT_PATHS)


def open_gift(response: Response, tenant: tenancy.Tenant, locator: int) -> None:
    """Let this browser receive the gift that a genuine link of a tenant names.

    Raises: ConnectionOpen.
    """
    g.pop("gift_kept", None)
    set_sealed_cookie(response, GIFT_COOKIE, _content(tenant.org_id, locator), GIFT_OPEN_S)


def close_gift(response: Response) -> None:
    """Take the gift out of this browser."""
    g.pop("gift_kept", None)
    clear_cookie(response, GIFT_COOKIE)


def _content(org_id: str, locator: int) -> dict[str, Any]:
    signed = identity.sign_gift_token(org_id, locator)
    return {
        "org": org_id,
        "locator": locator,
        "token": signed.token,
        "token_over_at": signed.over_at,
    }


def find_gift_caller() -> Caller | None:
    """Return who has a gift open in this browser, or None.

    Raises: TenantClosed.
    """
    held = read_sealed_cookie(GIFT_COOKIE)
    if held is None:
        return None
    if time.time() >= held["token_over_at"]:
        held = g.gift_kept = _content(held["org"], held["locator"])
    try:
        claims = identity.verify_gift_token(held["token"])
    except identity.TokenRefused as error:
        log.info("token of a gift refused", reason=error.reason)
        return None
    tenant = tenancy.find_tenant_by_org(claims.org_id)
    if tenant is None or identity.is_revoked(claims):
        return None
    if tenant.is_suspended:
        raise TenantClosed
    return Caller(
        claims=claims,
        tenant=tenant,
        actor=Actor(kind="person", id=claims.subject, client_id=f"{tenant.slug}:{claims.subject}"),
        rate=guard.Rate(),
        verified_at=time.monotonic(),
    )


def keep_gift(response: Response) -> None:
    """Put a token that was signed anew into the browser's cookie."""
    kept = g.pop("gift_kept", None)
    if kept is not None:
        set_sealed_cookie(response, GIFT_COOKIE, kept, GIFT_OPEN_S)
