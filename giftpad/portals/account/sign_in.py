"""Signing in with address and password, choosing one of several roles, signing out.

Hides: how the proof of a password is kept until a role is chosen.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import identity, tenancy
from giftpad.edge import (
    clear_cookie,
    demand_private_connection,
    end_session,
    find_caller,
    public,
    read_sealed_cookie,
    set_sealed_cookie,
    source_address,
)
from giftpad.kernel.errors import TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.demonstration import list_demo_people
from giftpad.portals.account.entering import enter
from giftpad.portals.account.places import SIGN_IN, after_sign_in, local_path
from giftpad.portals.account.roles import ALL_NAMES
from giftpad.portals.forms import Form, Password, Words, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("sign_in", __name__)

CHOOSING_COOKIE = "gp_choosing"
CHOOSING_S = 300
EMAIL_MOST = 254
WHY = "Whoever signs in has no session yet; the form is checked and guesses are counted."

NO_ROLE = mark(
    "You are not a member of any organisation here any more. Ask the one that invited you."
)
CHOOSE_AGAIN = mark("That took too long. Please sign in again.")
ROLE_GONE = mark("This role is not yours any more. Please sign in again.")
SIGNED_OUT = mark("You are signed out.")


class SignInForm(Form):
    """Address and password."""

    email = Words(mark("E-mail address"), most=EMAIL_MOST)
    password = Password(mark("Password"))


@bp.get("/sign-in")
@public(WHY)
def index() -> Response | str:
    """Ask for address and password."""
    demand_private_connection()
    wanted = local_path(request.args.get("next"))
    caller = find_caller()
    if caller is not None and caller.person is not None:
        return see_other(after_sign_in(wanted, caller.person.role))
    return _draw(SignInForm(), wanted)


def _draw(form: SignInForm, wanted: str | None) -> str:
    return page(
        "account/sign_in.html",
        form=form,
        wanted=wanted or "",
        people=list_demo_people(),
        role_names=ALL_NAMES,
    )


@bp.post("/sign-in")
@public(WHY)
def submit() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Judge address and password; one answer for everything that is wrong."""
    wanted = local_path(request.form.get("next"))
    g.page_path = url_for(".index", next=wanted or None)
    form = SignInForm(request.form)
    if not form.is_right():
        return _draw(form, wanted), 422
    try:
        proved = identity.sign_in(
            form.email.data or "", form.password.data or "", source=source_address()
        )
    except identity.SignInRefused as error:
        status = refused(form, error)
        return _draw(form, wanted), status
    except TooMany as error:
        status = refused(form, error)
        return _draw(form, wanted), status, {"Retry-After": str(error.retry_after_s)}
    if not proved.memberships:
        form.refuse("email", NO_ROLE)
        return _draw(form, wanted), 403
    if len(proved.memberships) == 1:
        only = proved.memberships[0]
        return enter(proved.person_id, only.tenant_id, only.id, wanted=wanted)
    response = see_other("sign_in.choose")
    chosen = {"person": str(proved.person_id), "proof": proved.proof, "next": wanted}
    set_sealed_cookie(response, CHOOSING_COOKIE, chosen, CHOOSING_S)
    return response


@bp.get("/sign-in/choose")
@public(WHY)
def choose() -> Response | str:
    """Ask which of several roles it shall be."""
    proved = read_sealed_cookie(CHOOSING_COOKIE)
    if proved is None:
        return see_other(SIGN_IN, say=CHOOSE_AGAIN, kind="info")
    found = identity.list_memberships(UUID(proved["person"]))
    return page(
        "account/choose.html",
        memberships=[(each, tenancy.get_tenant(each.tenant_id)) for each in found],
        role_names=ALL_NAMES,
    )


@bp.post("/sign-in/choose")
@public(WHY)
def chosen() -> Response:
    """Sign in with the role that was chosen."""
    proved = read_sealed_cookie(CHOOSING_COOKIE)
    if proved is None:
        return see_other(SIGN_IN, say=CHOOSE_AGAIN, kind="info")
    try:
        tenant, _, membership = request.form.get("membership", "").partition(".")
        response = enter(
            UUID(proved["person"]),
            UUID(tenant),
            UUID(membership),
            wanted=proved["next"],
            proof=proved["proof"],
        )
    except (ValueError, identity.SessionOver):
        return see_other(SIGN_IN, say=ROLE_GONE, kind="warning")
    clear_cookie(response, CHOOSING_COOKIE)
    return response


@bp.post("/sign-out")
@public("Whoever is signed in may leave, even when their organisation is suspended.")
def leave() -> Response:
    """End the session of this browser."""
    response = see_other(SIGN_IN, say=SIGNED_OUT)
    end_session(response)
    return response
