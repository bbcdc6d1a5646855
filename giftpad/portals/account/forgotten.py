"""A forgotten password: an address, then the code that went there, and a new one.

Every answer is the same for an address that nobody has here.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import identity
from giftpad.edge import (
    clear_cookie,
    current_locale,
    demand_private_connection,
    public,
    read_sealed_cookie,
    set_sealed_cookie,
    source_address,
)
from giftpad.kernel.errors import DomainError, TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.pending import seen
from giftpad.portals.account.places import SIGN_IN
from giftpad.portals.forms import Form, Password, Words, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("forgotten_password", __name__, url_prefix="/forgotten")

COOKIE = "gp_forgotten"
EMAIL_MOST, CODE_MOST = 254, 40
WHY = "Whoever has forgotten their password cannot sign in; the code goes to their address."

CHANGED = mark("Your password is changed, and you are signed out everywhere. Sign in with it now.")
ASK_AGAIN = mark("That took too long. Ask for a new code.")
NOT_THE_SAME = mark("The two new passwords are not the same.")

Answer = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]


class AddressForm(Form):
    """The address that somebody signs in with."""

    email = Words(mark("E-mail address"), most=EMAIL_MOST)


class CodeForm(Form):
    """The code from the mail, and the new password twice."""

    code = Words(mark("Code from the mail"), most=CODE_MOST)
    password = Password(mark("New password"))
    again = Password(mark("New password once more"))


@bp.get("")
@public(WHY)
def index() -> str:
    """Ask for the address."""
    demand_private_connection()
    return _draw(AddressForm())


def _draw(form: AddressForm) -> str:
    return page("account/forgotten.html", form=form)


@bp.post("")
@public(WHY)
def ask() -> Answer:
    """Let a code go to the address, if it is somebody's; nobody learns whether it is."""
    form = AddressForm(request.form)
    if not form.is_right():
        return _draw(form), 422
    try:
        reset_id = identity.ask_reset(
            form.email.data or "", source=source_address(), locale=current_locale()
        )
    except identity.EmailInvalid as error:
        form.refuse("email", error.sentence)
        return _draw(form), 422
    except TooMany as error:
        status = refused(form, error)
        return _draw(form), status, {"Retry-After": str(error.retry_after_s)}
    response = see_other(".code")
    set_sealed_cookie(response, COOKIE, {"reset": str(reset_id)}, identity.RESET_LIFE_S)
    return response


@bp.get("/code")
@public(WHY)
def code() -> Answer:
    """Ask for the code, and the new password."""
    if read_sealed_cookie(COOKIE) is None:
        return see_other(".index", say=ASK_AGAIN, kind="info")
    return _draw_code(CodeForm())


def _draw_code(form: CodeForm) -> str:
    return page(
        "account/forgotten_code.html",
        form=form,
        least=identity.PASSWORD_LENGTH_MIN,
        minutes=identity.RESET_LIFE_S // 60,
    )


@bp.post("/code")
@public(WHY)
def submit() -> Answer:
    """Set the new password, if the code is right."""
    asked = read_sealed_cookie(COOKIE)
    if asked is None:
        return see_other(".index", say=ASK_AGAIN, kind="info")
    form = CodeForm(request.form)
    if form.is_right() and form.password.data != form.again.data:
        form.refuse("again", NOT_THE_SAME)
    if form.faults:
        return _draw_code(form), 422
    try:
        identity.reset_by_code(
            UUID(asked["reset"]), form.code.data or "", form.password.data or "", seen()
        )
    except (identity.PasswordUnfit, identity.ResetCodeWrong) as error:
        return _refuse(form, error)
    except identity.ResetOver as error:
        response = see_other(".index", say=error.sentence, kind="warning")
        clear_cookie(response, COOKIE)
        return response
    response = see_other(SIGN_IN, say=CHANGED)
    clear_cookie(response, COOKIE)
    return response


def _refuse(form: CodeForm, error: DomainError) -> Answer:
    name = "password" if isinstance(error, identity.PasswordUnfit) else "code"
    form.refuse(name, error.sentence, **error.params)
    return _draw_code(form), 422
