"""The second step of a sign-in: a passkey, the digits of an app, or a recovery code."""

from __future__ import annotations

from flask import Blueprint, Response, request

from giftpad import identity
from giftpad.edge import demand_private_connection, public, source_address
from giftpad.kernel.errors import Rejected, TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.asking import ask_passkey_of, find_passkey_answer
from giftpad.portals.account.client_requests import find_client_request, looks_for
from giftpad.portals.account.pending import (
    Pending,
    add_step,
    begin_again,
    find_pending,
    go_on,
    seen,
)
from giftpad.portals.forms import Form, Words, refused
from giftpad.portals.http import page

bp = Blueprint("second_step", __name__, url_prefix="/sign-in/second")

CODE_MOST = 40
WHY = "Whoever is between the two steps has no session yet; the first step is sealed in a cookie."

Answer = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]


class CodeForm(Form):
    """Six digits, or a recovery code."""

    code = Words(mark("Code"), most=CODE_MOST)


@bp.get("")
@public(WHY)
def index() -> Response | str:
    """Ask for the second step."""
    demand_private_connection()
    pending = find_pending()
    if pending is None:
        return begin_again()
    return _draw(CodeForm(), pending)


def _draw(form: CodeForm, pending: Pending) -> str:
    factors = identity.find_factors(pending.person_id)
    can_touch = factors.passkeys and identity.offers_passkeys()
    return page(
        "account/second_step.html",
        form=form,
        factors=factors,
        passkey=ask_passkey_of(pending.person_id) if can_touch else None,
        **looks_for(find_client_request(pending.wanted)),
    )


@bp.post("")
@public(WHY)
def submit() -> Answer:
    """Judge a code; a try counts before it is judged."""
    pending = find_pending()
    if pending is None:
        return begin_again()
    form = CodeForm(request.form)
    if not form.is_right():
        return _draw(form, pending), 422
    try:
        methods = identity.prove_code(pending.person_id, form.code.data or "", seen())
    except (Rejected, TooMany) as error:
        return _refuse(form, pending, error)
    return go_on(add_step(pending, methods))


@bp.post("/passkey")
@public(WHY)
def by_passkey() -> Answer:
    """Judge what a passkey of this person answers."""
    pending = find_pending()
    if pending is None:
        return begin_again()
    try:
        answer, challenge = find_passkey_answer(pending.person_id)
        proved = identity.prove_passkey(
            answer, challenge, source=source_address(), person_id=pending.person_id
        )
    except (Rejected, TooMany) as error:
        return _refuse(CodeForm(), pending, error)
    return go_on(add_step(pending, proved.methods))


def _refuse(form: CodeForm, pending: Pending, error: Rejected | TooMany) -> Answer:
    status = refused(form, error)
    if isinstance(error, TooMany):
        return _draw(form, pending), status, {"Retry-After": str(error.retry_after_s)}
    return _draw(form, pending), status
