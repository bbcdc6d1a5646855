"""Letting a device in: it shows a code, and somebody who is signed in says yes or no.

Source: RFC 8628, section 3.3.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from giftpad import guard, identity
from giftpad.edge import Person, current_caller, find_caller, requires
from giftpad.kernel.errors import TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.places import first_page
from giftpad.portals.account.roles import ALL_NAMES, may_in_words
from giftpad.portals.forms import Form, Words, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("activate", __name__, url_prefix="/activate")

CODE_MOST = 40
WRONG_CODES_MAX = 10

LET_IN = mark(
    "The device is signed in. It goes on by itself in a few seconds; you can close this page."
)
KEPT_OUT = mark("The device was told no. Nothing was let in.")


class CodeForm(Form):
    """The code that the device shows."""

    user_code = Words(mark("Code on the device"), most=CODE_MOST)


def _person() -> Person:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return person


def _draw(form: CodeForm) -> str:
    return page("account/activate.html", form=form, first_page=first_page(_person().role))


def _counted() -> str:
    return f"activate:{_person().id}"


@bp.before_request
def refuse_visits() -> None:
    """Let no device in for somebody who is only visiting.

    Raises: VisitTooNarrow.
    """
    caller = find_caller()
    if caller is not None and caller.claims.visit_id is not None:
        raise identity.VisitTooNarrow


@bp.get("")
@requires()
def index() -> str:
    """Ask for the code, which the device may have put into the address already."""
    return _draw(CodeForm(user_code=request.args.get("user_code", "")[:CODE_MOST]))


@bp.post("")
@requires()
def show() -> str | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Show which device waits, and ask whether it may come in."""
    form = CodeForm(request.form)
    if not form.is_right():
        return _draw(form), 422
    code = form.user_code.data or ""
    try:
        guard.check_failures(_counted())
        device = identity.find_device(current_caller().tenant.id, code)
    except identity.DeviceNotFound as error:
        guard.count_failure(_counted(), most=WRONG_CODES_MAX)
        form.refuse("user_code", error.sentence)
        return _draw(form), 422
    except TooMany as error:
        status = refused(form, error)
        return _draw(form), status, {"Retry-After": str(error.retry_after_s)}
    return page(
        "account/activate_answer.html",
        device=device,
        user_code=identity.show_user_code(code),
        may=may_in_words(device.client.permissions, current_caller().claims.permissions),
        role=ALL_NAMES[_person().role],
    )


@bp.post("/answer")
@requires()
def decide() -> Response:
    """Let the device in, or tell it no."""
    caller, person = current_caller(), _person()
    code = request.form.get("user_code", "")[:CODE_MOST]
    guard.check_failures(_counted())
    try:
        if request.form.get("answer") != "yes":
            identity.deny_device(caller.tenant.id, code)
            return see_other("activate.index", say=KEPT_OUT, kind="info")
        identity.approve_device(code, _approval(person))
    except identity.DeviceNotFound as error:
        guard.count_failure(_counted(), most=WRONG_CODES_MAX)
        return see_other("activate.index", say=error.sentence, kind="warning")
    return see_other("activate.index", say=LET_IN)


def _approval(person: Person) -> identity.Approval:
    """Return the answer of somebody in the role they have here now.

    Raises: SessionOver, when their sign-in or their role ended a moment ago.
    """
    caller = current_caller()
    session = identity.find_session(person.id, person.session_id)
    role = next(
        (
            each
            for each in identity.list_memberships(person.id)
            if each.tenant_id == caller.tenant.id
            and (each.role, each.shop_id) == (person.role, caller.claims.shop_id)
        ),
        None,
    )
    if session is None or role is None:
        raise identity.SessionOver
    return identity.Approval(
        membership=role, session_id=session.id, proved_at=session.proved_at, amr=session.amr
    )
