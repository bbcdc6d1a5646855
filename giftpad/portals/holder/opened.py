"""The coupon a browser has open: kept sealed in its cookie, so that no address carries a code.

Hides: the cookie, under which name a network's wrong codes are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Response

from giftpad import edge, guard, payments, tenancy
from giftpad.edge import TenantClosed
from giftpad.kernel.work import Actor, Scope

COOKIE = "gp_coupon"
COOKIE_LIFE_S = 30 * 60
HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class Opened:
    """A coupon whose code this browser has shown within the last half hour."""

    tenant: tenancy.Tenant
    locator: int


def guess_key() -> str:
    """Return what the wrong codes of this network are counted under."""
    return f"{HOLDER}:{edge.source_address()}"


def scope_of(tenant: tenancy.Tenant) -> Scope:
    """Return the scope in which whoever holds a coupon of a tenant is answered.

    Raises: TenantClosed.
    """
    if tenant.is_suspended:
        raise TenantClosed
    actor = Actor(kind="person", id=HOLDER, client_id=HOLDER)
    return Scope(tenant_id=tenant.id, actor=actor, request_id=edge.request_id())


def open_by_qr(tail: str) -> Opened:
    """Return what the text after ``/Q/`` in a QR opens; a forged one ends before any query.

    Raises: InstrumentNotFound, TooManyFailures, TenantClosed.
    """
    guesser = guess_key()
    guard.check_failures(guesser)
    tenant = payments.find_qr_tenant(tail)
    if tenant is None:
        guard.count_failure(guesser)
        raise payments.InstrumentNotFound
    return _open(tenant, tail)


def open_by_typed(tenant: tenancy.Tenant, typed: str) -> Opened:
    """Return what a code typed by hand opens at this tenant.

    Raises: InstrumentNotFound, TooManyFailures, TenantClosed.
    """
    return _open(tenant, typed)


def _open(tenant: tenancy.Tenant, code: str) -> Opened:
    found = payments.find_instrument(scope_of(tenant), code, guess_key=guess_key())
    return Opened(tenant, found.locator)


def keep_open(response: Response, opened: Opened) -> None:
    """Let the browser look at the coupon for half an hour from now."""
    value = {"tenant": str(opened.tenant.id), "locator": opened.locator}
    edge.set_sealed_cookie(response, COOKIE, value, COOKIE_LIFE_S)


def find_opened() -> Opened | None:
    """Return the coupon this browser has open, or None when it has none or no more."""
    kept = edge.read_sealed_cookie(COOKIE)
    if kept is None:
        return None
    tenant = tenancy.find_tenant(UUID(kept["tenant"]))
    return None if tenant is None else Opened(tenant, int(kept["locator"]))


def close(response: Response) -> None:
    """Take the coupon out of the browser."""
    edge.clear_cookie(response, COOKIE)
