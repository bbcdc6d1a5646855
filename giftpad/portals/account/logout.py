"""Signing out because a client asks: at once if it proves which sign-in it means, else by a press.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for

from giftpad import identity
from giftpad.edge import (
    demand_private_connection,
    end_session,
    find_caller,
    open_text,
    public,
    seal_text,
    send_forms_to,
    wish_locales,
)
from giftpad.portals.account.client_requests import read_parameters, stay
from giftpad.portals.account.places import SIGN_IN
from giftpad.portals.account.sign_in import SIGNED_OUT
from giftpad.portals.http import page, see_other

bp = Blueprint("logout", __name__)

WHY = "Whoever is signed in may leave; a client that asks for it proves nothing but where to go."
_PURPOSE = "logout"
ASKED_S = 600


def _leave(location: str) -> Response:
    """End the session of this browser, if there is one, and send it on."""
    made = redirect(location, 303) if location else see_other(SIGN_IN, say=SIGNED_OUT)
    assert isinstance(made, Response)
    end_session(made)
    return made


@bp.get("/oidc/logout")
@public(WHY)
def index() -> Response | str | tuple[str, int]:
    """Sign out whoever the client's ID token is of; ask, where it proves nothing."""
    demand_private_connection()
    try:
        parameters = read_parameters()
        if parameters is None:
            return stay("invalid_request", "A parameter is repeated.")
        wish_locales(parameters.get("ui_locales", "").split())
        asked = identity.ask_logout(parameters)
    except identity.AuthorisationRefused as refused:
        return stay(refused.error, refused.description)
    caller = find_caller()
    person = caller.person if caller is not None else None
    if person is None or person.session_id == asked.session_id:
        return _leave(asked.location)
    if asked.location:
        send_forms_to(identity.origin_of(asked.location))
    return page(
        "account/logout.html",
        client=asked.client,
        asked=seal_text(_PURPOSE, {"to": asked.location}),
    )


@bp.post("/oidc/logout/answer")
@public(WHY)
def decide() -> Response:
    """Sign out because the person pressed the button."""
    opened = open_text(_PURPOSE, request.form.get("asked", ""), ASKED_S)
    return _leave(str(opened["to"]) if opened is not None else "")


@bp.get("/v2/logout")
@public(WHY)
def short() -> Response | tuple[str, int]:
    """Sign out and go to an address that the client has named before."""
    demand_private_connection()
    try:
        parameters = read_parameters()
        if parameters is None:
            return stay("invalid_request", "A parameter is repeated.")
        asked = identity.ask_short_logout(parameters)
    except identity.AuthorisationRefused as refused:
        return stay(refused.error, refused.description)
    if asked.client is None and not asked.location:
        return see_other(url_for("sign_in.index"))
    return _leave(asked.location)
