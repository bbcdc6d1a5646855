"""Setting up a second step on the way in, for a role that is taken by no password alone.

Somebody who has factors takes a step by one of them instead: who knows no more than a password
adds none beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request

from giftpad import identity
from giftpad.edge import demand_private_connection, public
from giftpad.kernel.errors import Rejected
from giftpad.portals.account.asking import ask_new_passkey, offer_app, take_app, take_passkey
from giftpad.portals.account.client_requests import find_client_request, looks_for
from giftpad.portals.account.pending import (
    Pending,
    add_step,
    begin_again,
    find_pending,
    go_on,
    keep,
)
from giftpad.portals.account.places import SIGN_IN
from giftpad.portals.account.second_step import CodeForm
from giftpad.portals.forms import refused
from giftpad.portals.http import page, see_other

bp = Blueprint("set_up", __name__, url_prefix="/sign-in/set-up")

WHY = "Whoever sets up a second step has no session yet; the first step is sealed in a cookie."
PASSKEY_METHODS, APP_METHODS = ("mfa",), ("otp", "mfa")

Answer = Response | str | tuple[str, int]


@bp.get("")
@public(WHY)
def index() -> Answer:
    """Offer a passkey and an app."""
    demand_private_connection()
    pending = _newcomer()
    return _draw(CodeForm(), pending) if isinstance(pending, Pending) else pending


def _newcomer() -> Pending | Response:
    """Return who is on their way and has no factor yet, or where they go instead."""
    pending = find_pending()
    if pending is None:
        return begin_again()
    if identity.find_factors(pending.person_id).are_any:
        return go_on(pending)
    if pending.connection is not None:  # their organisation's provider knows no password of ours
        return see_other(SIGN_IN, say=identity.FactorUnproved.sentence, kind="warning")
    return pending


def _draw(form: CodeForm, pending: Pending) -> str:
    return page(
        "account/set_up.html",
        form=form,
        passkey=ask_new_passkey(pending.person_id),
        app=offer_app(pending.person_id),
        **looks_for(find_client_request(pending.wanted)),
    )


@bp.post("/app")
@public(WHY)
def add_app() -> Answer:
    """Take the app that shows the right digits."""
    form = CodeForm(request.form)
    pending = _newcomer()
    if not isinstance(pending, Pending):
        return pending
    if not form.is_right():
        return _draw(form, pending), 422
    person_id, typed = pending.person_id, form.code.data or ""
    return _take(form, pending, lambda: take_app(person_id, typed, _standing(pending)))


@bp.post("/passkey")
@public(WHY)
def add_passkey() -> Answer:
    """Take the passkey that the browser has made."""
    pending = _newcomer()
    if not isinstance(pending, Pending):
        return pending
    person_id = pending.person_id
    return _take(CodeForm(), pending, lambda: take_passkey(person_id, _standing(pending)))


def _standing(pending: Pending) -> identity.Standing:
    return identity.Standing(proof=pending.proof)


def _take(form: CodeForm, pending: Pending, take: Callable[[], Sequence[str]]) -> Answer:
    """Take a factor, which is the second step of this sign-in too, and show the sheet of codes."""
    try:
        sheet = take()
    except identity.SessionOver:
        return begin_again()
    except Rejected as error:
        status = refused(form, error)
        return _draw(form, pending), status
    methods = APP_METHODS if request.endpoint == "set_up.add_app" else PASSKEY_METHODS
    stepped = add_step(pending, methods)
    if not sheet:
        return go_on(stepped)
    drawn = page("account/sheet.html", codes=[identity.group_code(each) for each in sheet])
    return keep(Response(drawn, mimetype="text/html"), stepped)


@bp.post("/done")
@public(WHY)
def done() -> Response:
    """Go on, once the codes are kept."""
    pending = find_pending()
    return go_on(pending) if pending is not None else begin_again()
