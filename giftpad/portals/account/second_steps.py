"""One's own second steps: the passkeys, the app, the sheet of codes; added and taken away.

Whoever does it has just proved who they are: a screen left open gives nobody a key of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import identity
from giftpad.edge import current_caller, requires
from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import mark
from giftpad.portals.account.asking import ask_new_passkey, offer_app, take_app, take_passkey
from giftpad.portals.account.pending import seen
from giftpad.portals.account.second_step import CodeForm
from giftpad.portals.forms import Form, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("second_steps", __name__, url_prefix="/account/second-step")

APP_ADDED = mark("From now on, signing in asks for the digits of this app.")
PASSKEY_ADDED = mark("You can sign in with this passkey from now on.")
REMOVED = mark("It is removed.")
REFUSALS = (
    identity.CodeWrong,
    identity.FactorNeeded,
    identity.FactorUnproved,
    identity.PasskeyRefused,
)

Answer = Response | str | tuple[str, int]


def _me() -> UUID:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return person.id


def _standing() -> identity.Standing:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return identity.Standing(session_id=person.session_id)


def _draw(form: Form) -> str:
    g.page_path = url_for(".index")
    person_id = _me()
    return page(
        "account/second_steps.html",
        form=form,
        factors=identity.find_factors(person_id),
        must_stay=identity.must_have_factors(person_id),
        passkey=ask_new_passkey(person_id),
        app=offer_app(person_id),
    )


@bp.get("")
@requires(fresh=True)
def index() -> Answer:
    """Show one's own second steps."""
    return _draw(CodeForm())


@bp.post("/app")
@requires(fresh=True)
def add_app() -> Answer:
    """Take the app that shows the right digits, in the place of another."""
    form = CodeForm(request.form)
    if not form.is_right():
        return _draw(form), 422
    return _show(form, lambda: take_app(_me(), form.code.data or "", _standing()), APP_ADDED)


@bp.post("/passkey")
@requires(fresh=True)
def add_passkey() -> Answer:
    """Take the passkey that the browser has made."""
    return _show(CodeForm(), lambda: take_passkey(_me(), _standing()), PASSKEY_ADDED)


@bp.post("/codes")
@requires(fresh=True)
def renew_codes() -> Answer:
    """Give a new sheet of recovery codes."""
    return _show(CodeForm(), lambda: identity.renew_recovery_codes(_me(), seen()), "")


def _show(form: Form, take: Callable[[], Sequence[str]], told: str) -> Answer:
    """Do it, and show the sheet of codes if there is a new one: it is shown this once."""
    try:
        sheet = take()
    except REFUSALS as error:
        return _refuse(form, error)
    if not sheet:
        return see_other(".index", say=told)
    codes = [identity.group_code(each) for each in sheet]
    return page("account/sheet.html", codes=codes, is_here=True)


def _refuse(form: Form, error: DomainError) -> Answer:
    status = refused(form, error)
    return _draw(form), status


@bp.post("/app/remove")
@requires(fresh=True)
def remove_app() -> Answer:
    """Ask for the app's digits no more."""
    try:
        identity.remove_authenticator(_me(), seen())
    except REFUSALS as error:
        return _refuse(CodeForm(), error)
    return see_other(".index", say=REMOVED)


@bp.post("/passkeys/<uuid:passkey_id>/remove")
@requires(fresh=True)
def remove_passkey(passkey_id: UUID) -> Answer:
    """Believe a passkey no more."""
    try:
        identity.remove_passkey(_me(), passkey_id, seen())
    except REFUSALS as error:
        return _refuse(CodeForm(), error)
    return see_other(".index", say=REMOVED)
