"""Signing in: the first step, by a password or a passkey; choosing a role; leaving."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import identity
from giftpad.edge import (
    demand_private_connection,
    end_session,
    find_caller,
    public,
    source_address,
)
from giftpad.kernel.errors import TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.asking import ask_any_passkey, find_passkey_answer
from giftpad.portals.account.client_requests import (
    find_client_request,
    looks_for,
    roles_for,
)
from giftpad.portals.account.demonstration import answer_for, list_demo_people
from giftpad.portals.account.pending import (
    ROLE_GONE,
    begin,
    begin_again,
    find_pending,
    go_on,
    list_roles,
    why_no_role,
)
from giftpad.portals.account.places import SIGN_IN, after_sign_in, local_path
from giftpad.portals.account.role_choices import name_roles
from giftpad.portals.account.roles import ALL_NAMES
from giftpad.portals.account.ways import organisation_asked, ways_for
from giftpad.portals.forms import Form, Password, Words, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("sign_in", __name__)

EMAIL_MOST = 254
WHY = "Whoever signs in has no session yet; the form is checked and guesses are counted."

SIGNED_OUT = mark("You are signed out.")


class SignInForm(Form):
    """Address and password."""

    email = Words(mark("E-mail address"), most=EMAIL_MOST)
    password = Password(mark("Password"))


Answer = Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@bp.get("/sign-in")
@public(WHY)
def index() -> Response | str:
    """Ask for address and password, or for a passkey."""
    demand_private_connection()
    wanted = local_path(request.args.get("next"))
    asked = find_client_request(wanted)
    caller = find_caller()
    is_again = asked is not None and "again" in request.args
    if caller is not None and caller.person is not None and not is_again:
        return see_other(after_sign_in(wanted, caller.person.role))
    return _draw(SignInForm(email=request.args.get("hint", "")[:EMAIL_MOST]), wanted)


def _draw(form: SignInForm, wanted: str | None) -> str:
    asked = find_client_request(wanted)
    return page(
        "account/sign_in.html",
        form=form,
        wanted=wanted or "",
        people=list_demo_people(),
        role_names=ALL_NAMES,
        passkey=ask_any_passkey(),
        client=asked.client if asked is not None else None,
        **ways_for(asked),
    )


def _wanted() -> str | None:
    wanted = local_path(request.form.get("next"))
    g.page_path = url_for(".index", next=wanted or None, org=organisation_asked() or None)
    return wanted


def _refuse(form: SignInForm, wanted: str | None, error: Exception) -> Answer:
    assert isinstance(error, identity.SignInRefused | identity.PasskeyRefused | TooMany)
    status = refused(form, error)
    if isinstance(error, TooMany):
        return _draw(form, wanted), status, {"Retry-After": str(error.retry_after_s)}
    return _draw(form, wanted), status


@bp.post("/sign-in")
@public(WHY)
def submit() -> Answer:
    """Judge address and password; one answer for everything that is wrong."""
    wanted = _wanted()
    form = SignInForm(request.form)
    if not form.is_right():
        return _draw(form, wanted), 422
    try:
        proved = identity.sign_in(
            form.email.data or "", form.password.data or "", source=source_address()
        )
    except (identity.SignInRefused, TooMany) as error:
        return _refuse(form, wanted, error)
    if not roles_for(find_client_request(wanted), proved.memberships):
        sentence, params = why_no_role(wanted, proved.memberships)
        form.refuse("email", sentence, **params)
        return _draw(form, wanted), 403
    return go_on(begin(proved, wanted))


@bp.post("/sign-in/passkey")
@public(WHY)
def by_passkey() -> Answer:
    """Judge what a passkey answers: it is both steps in one, and says who it is itself."""
    wanted = _wanted()
    try:
        answer, challenge = find_passkey_answer(None)
        proved = identity.prove_passkey(answer, challenge, source=source_address())
    except (identity.PasskeyRefused, TooMany) as error:
        return _refuse(SignInForm(), wanted, error)
    return go_on(begin(proved, wanted))


@bp.post("/sign-in/demonstration")
@public(WHY)
def as_somebody() -> Answer:
    """Sign in as one of the people of a demonstration, whose passkeys this machine holds."""
    wanted = _wanted()
    try:
        proved = answer_for(request.form.get("email", ""), source=source_address())
    except (identity.PasskeyRefused, identity.SignInRefused, TooMany) as error:
        return _refuse(SignInForm(), wanted, error)
    return go_on(begin(proved, wanted))


@bp.get("/sign-in/choose")
@public(WHY)
def choose() -> Response | str:
    """Ask which of several roles it shall be."""
    pending = find_pending()
    if pending is None:
        return begin_again()
    found = list_roles(pending)
    return page(
        "account/choose.html",
        choices=name_roles(found),
        role_names=ALL_NAMES,
        **looks_for(find_client_request(pending.wanted)),
    )


@bp.post("/sign-in/choose")
@public(WHY)
def chosen() -> Response:
    """Go on with the role that was chosen."""
    pending = find_pending()
    if pending is None:
        return begin_again()
    tenant, _, membership = request.form.get("membership", "").partition(".")
    try:
        place = UUID(tenant), UUID(membership)
    except ValueError:
        return see_other(SIGN_IN, say=ROLE_GONE, kind="warning")
    return go_on(replace(pending, chosen=place))


@bp.post("/sign-out")
@public("Whoever is signed in may leave, even when their organisation is suspended.")
def leave() -> Response:
    """End the session of this browser."""
    response = see_other(SIGN_IN, say=SIGNED_OUT)
    end_session(response)
    return response
