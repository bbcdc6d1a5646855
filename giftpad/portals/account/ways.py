"""Which accounts of their own an organisation's people may sign in with, and what the page offers.

Hides: how the organisation is known: by the client that somebody goes on to, or by the address.
"""

from __future__ import annotations

from typing import Any

from flask import request

from giftpad import identity, tenancy
from giftpad.kernel.work import Scope
from giftpad.portals.account.client_requests import looks_for
from giftpad.portals.theme import logo_href, theme_href


def organisation_asked() -> str:
    """Return the short name of the organisation that an address or a form names."""
    return request.values.get("org", "")[:100]


def ways_for(asked: identity.SignInAsked | None) -> dict[str, Any]:
    """Return how the sign-in page looks, and which accounts of an organisation it offers."""
    looks = looks_for(asked)
    tenant = looks.get("tenant") or tenancy.find_tenant_by_slug(organisation_asked())
    if tenant is None or tenant.id == tenancy.PLATFORM_TENANT_ID or tenant.is_suspended:
        return {"org": "", "connections": [], **looks}
    return {
        "org": tenant.slug,
        "connections": identity.list_connections(Scope(tenant_id=tenant.id), but_disabled=True),
        "tenant": tenant,
        "theme_href": theme_href(tenant),
        "logo_href": logo_href(tenant),
        **looks,
    }
