"""The link of a gift: written anew whenever it is sent, so nothing at rest opens one.

Hides: keys, MACs, the address people reach this installation by.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from giftpad import payments, tenancy
from giftpad.kernel.codes import QR_TAIL_LENGTH, parse_qr, qr_body, qr_mac
from giftpad.kernel.config import Settings

PATH = "/g/"


class _Bound:
    """The address of this installation."""

    address: str = ""


def bind_links(settings: Settings) -> None:
    """Give this process the address that links begin with."""
    _Bound.address = settings.public_address.rstrip("/")


def build_address(path: str) -> str:
    """Return the whole address of one of our own pages."""
    assert _Bound.address, "bind_links has not been called"
    return _Bound.address + path


def build_link(tenant_id: UUID, kid: int, locator: int) -> str:
    """Return the address that opens a gift."""
    return link_builder(tenant_id, kid)(locator)


def link_builder(tenant_id: UUID, kid: int) -> Callable[[int], str]:
    """Return what builds links of one tenant, whose key is derived once for all of them."""
    ring = tenancy.find_ring_key(tenant_id, kid)
    assert ring is not None
    key, tag = payments.qr_key(ring.key), tenancy.get_tenant(tenant_id).tag

    def build(locator: int) -> str:
        body = qr_body(kid, tag, locator)
        return build_address(PATH + body + qr_mac(key, body))

    return build


def find_gift_tenant(tail: str) -> tuple[tenancy.Tenant, int] | None:
    """Return whose genuine link ends so, and the number of the gift it names.

    A forged one costs no query.  That there is such a gift is not said by this.
    """
    tenant = payments.find_qr_tenant(tail) if len(tail) == QR_TAIL_LENGTH else None
    parsed = parse_qr(f"{_Bound.address}/Q/{tail}") if tenant is not None else None
    return (tenant, parsed.locator) if tenant is not None and parsed is not None else None
