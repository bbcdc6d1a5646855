"""Proving once more that it is oneself, before something that moves money or decides who may.

Hides: what becomes of a form that was sent too late for the last proof.  It travels sealed through
the proof, and is offered once more afterwards as it was: nothing that was typed is lost, and
nothing is done that its sender does not press again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request

from giftpad import identity
from giftpad.edge import (
    Person,
    current_caller,
    open_text,
    requires,
    seal_text,
    source_address,
    start_session,
)
from giftpad.kernel.errors import Rejected, TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.asking import ask_passkey_of, find_passkey_answer
from giftpad.portals.account.pending import seen
from giftpad.portals.account.places import first_page, local_path
from giftpad.portals.account.second_step import CodeForm
from giftpad.portals.forms import Form, Password, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("prove", __name__, url_prefix="/account/prove")

HELD, HELD_S, HELD_MOST = "held-form", 900, 16_384

Answer = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]


class PasswordForm(Form):
    """The password, of somebody who has nothing better."""

    password = Password(mark("Password"))


def hold_form() -> str:
    """Return the form of this request, sealed for whoever sent it; "" if it cannot be kept."""
    caller = current_caller()
    fields = [(name, text) for name, text in request.form.items(multi=True) if name != "csrf"]
    size = sum(len(name) + len(text) for name, text in fields)
    if request.method != "POST" or request.files or size > HELD_MOST or caller.person is None:
        return ""
    held = {"path": request.full_path.rstrip("?"), "fields": fields, "of": str(caller.person.id)}
    return seal_text(HELD, held)


def draw_proof(
    form: Form | None = None, *, held: str = "", wanted: str | None = None, is_lost: bool = False
) -> str:
    """Draw the page that asks for the proof: what somebody has, and their password if nothing."""
    person = _person()
    factors = identity.find_factors(person.id)
    can_touch = factors.passkeys and identity.offers_passkeys()
    return page(
        "account/prove.html",
        form=form if form is not None else _form_for(factors),
        factors=factors,
        passkey=ask_passkey_of(person.id) if can_touch else None,
        held=held,
        is_lost=is_lost,
        wanted=wanted or "",
    )


def _form_for(factors: identity.Factors) -> Form:
    return CodeForm() if factors.are_any else PasswordForm()


def _person() -> Person:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return person


@bp.get("")
@requires()
def index() -> Answer:
    """Ask for the proof."""
    return draw_proof(wanted=local_path(request.args.get("next")))


@bp.post("")
@requires()
def by_text() -> Answer:
    """Judge a code, or the password of somebody who has no second step."""
    person = _person()
    has_factors = identity.find_factors(person.id).are_any
    form: Form = CodeForm(request.form) if has_factors else PasswordForm(request.form)
    if not form.is_right():
        return _again(form), 422
    try:
        if has_factors:
            methods = identity.prove_code(person.id, form["code"].data or "", seen())
        else:
            methods = identity.prove_present(person.id, form["password"].data or "")
    except (Rejected, TooMany) as error:
        return _refuse(form, error)
    return _done(person, methods)


@bp.post("/passkey")
@requires()
def by_passkey() -> Answer:
    """Judge what a passkey of this person answers."""
    person = _person()
    try:
        answer, challenge = find_passkey_answer(person.id)
        proved = identity.prove_passkey(
            answer, challenge, source=source_address(), person_id=person.id
        )
    except (Rejected, TooMany) as error:
        return _refuse(_form_for(identity.find_factors(person.id)), error)
    return _done(person, proved.methods)


def _again(form: Form) -> str:
    wanted = local_path(request.form.get("next"))
    return draw_proof(form, held=request.form.get("held", ""), wanted=wanted)


def _refuse(form: Form, error: Rejected | TooMany) -> Answer:
    status = refused(form, error)
    if isinstance(error, TooMany):
        return _again(form), status, {"Retry-After": str(error.retry_after_s)}
    return _again(form), status


def _done(person: Person, methods: tuple[str, ...]) -> Answer:
    """Go on in a new session, with the form that waited or to the page that was wanted."""
    session = identity.find_session(person.id, person.session_id)
    if session is None:
        raise identity.SessionOver
    opened = identity.open_session(
        person.id,
        session.tenant_id,
        session.membership_id,
        user_agent=request.user_agent.string,
        methods=methods,
        follows=person.session_id,
    )
    held = _open_held(person.id)
    if held is None:
        wanted = local_path(request.form.get("next")) or first_page(person.role)
        response = see_other(wanted)
        start_session(response, opened)
        return response
    response = Response(mimetype="text/html")
    start_session(response, opened)  # first: the form below is of the session that begins here
    g.page_path = first_page(person.role)
    response.set_data(page("account/go_on.html", path=held["path"], fields=held["fields"]))
    return response


def _open_held(person_id: UUID) -> dict[str, Any] | None:
    """Return the form that waits for the proof of this person; None if there is none."""
    text = request.form.get("held", "")
    opened = open_text(HELD, text, HELD_S) if text else None
    return opened if opened is not None and opened["of"] == str(person_id) else None
