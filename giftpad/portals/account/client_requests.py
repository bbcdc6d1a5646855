"""The request of a client that somebody signs in for, as it stands in the address to go on to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import request

from giftpad import identity, tenancy
from giftpad.edge import send_forms_to, wish_locales
from giftpad.portals.http import page
from giftpad.portals.theme import logo_href, theme_href

AUTHORIZE = "/authorize"
SINCE = "gp_since"
"""The parameter by which ``/authorize`` knows when it asked somebody to sign in."""


def find_client_request(wanted: str | None) -> identity.SignInAsked | None:
    """Return what a client asks, if it is a client that somebody goes on to."""
    parts = urlsplit(wanted or "")
    if parts.path != AUTHORIZE:
        return None
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    parameters.pop(SINCE, None)
    try:
        return identity.ask_sign_in(parameters)
    except identity.AuthorisationRefused:
        return None


def read_parameters() -> dict[str, str] | None:
    """Return the parameters of the address; None if one stands there twice."""
    parameters: dict[str, str] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            return None
        parameters[name] = values[0]
    return parameters


def looks_for(asked: identity.SignInAsked | None) -> dict[str, Any]:
    """Return how a page looks on the way to a client: as the client's organisation does.

    The way leads on to the client's own address, so the page's forms may end there.
    """
    if asked is None:
        return {}
    send_forms_to(identity.origin_of(asked.redirect_uri))
    wish_locales(asked.ui_locales)
    tenant = tenancy.get_tenant(asked.client.tenant_id)
    return {
        "tenant": tenant,
        "theme_href": theme_href(tenant),
        "logo_href": logo_href(tenant),
        "wants_to_join": asked.wants_to_join,
    }


def roles_for(
    asked: identity.SignInAsked | None, memberships: Sequence[identity.Membership]
) -> list[identity.Membership]:
    """Return the roles that somebody can go on with: for a client those in its organisation."""
    return [
        each for each in memberships if asked is None or each.tenant_id == asked.client.tenant_id
    ]


def stay(error: str, description: str) -> tuple[str, int]:
    """Say that something is wrong with a client's request, to somebody who can be sent nowhere."""
    return page("account/client_wrong.html", error=error, description=description), 400
