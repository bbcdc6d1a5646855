"""One's own account: the name, the role, the password, and where one is signed in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import identity, tenancy
from giftpad.edge import Person, current_caller, end_session, requires, start_session
from giftpad.kernel.errors import TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.links import list_shown
from giftpad.portals.account.pending import seen
from giftpad.portals.account.places import SIGN_IN, after_sign_in, first_page
from giftpad.portals.account.role_choices import name_roles
from giftpad.portals.account.roles import ALL_NAMES
from giftpad.portals.forms import Form, Password, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("account", __name__, url_prefix="/account")

CHANGED = mark("Your password is changed. All other browsers are signed out.")
NOT_THE_SAME = mark("The two new passwords are not the same.")
ENDED = mark("That browser is signed out.")
APP_ENDED = mark("It is signed out. What it does from now on is refused within half a minute.")
ALL_ENDED = mark("You are signed out everywhere.")
ROLE_GONE = mark("That role is not yours any more. You stay in this one.")


class PasswordForm(Form):
    """The present password, and the new one twice."""

    present = Password(mark("Present password"))
    password = Password(mark("New password"))
    again = Password(mark("New password once more"))


def _person() -> Person:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return person


def _draw(form: PasswordForm) -> str:
    person, here = _person(), current_caller().tenant
    session = identity.find_session(person.id, person.session_id)
    # whoever came by an account of their organisation stays in it
    is_bound = session is not None and session.connection_id is not None
    own_id = session.membership_id if session is not None else None
    tenants = {tenant.id: tenant for tenant in tenancy.list_tenants()}
    return page(
        "account/index.html",
        form=form,
        sessions=[
            (session, tenants.get(session.tenant_id))
            for session in identity.list_sessions(person.id)
        ],
        authorisations=[
            (each, tenants.get(each.tenant_id)) for each in identity.list_authorisations(person.id)
        ],
        factors=identity.find_factors(person.id),
        choices=name_roles(
            each
            for each in identity.list_memberships(person.id)
            if (each.tenant_id == here.id or not is_bound) and each.id != own_id
        ),
        links=list_shown(person, here),
        here=here,
        role_names=ALL_NAMES,
        first_page=first_page(person.role),
        least=identity.PASSWORD_LENGTH_MIN,
    )


@bp.get("")
@requires()
def index() -> str:
    """Show one's own account."""
    return _draw(PasswordForm())


@bp.post("/password")
@requires()
def change_password() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Change one's own password."""
    form = PasswordForm(request.form)
    if form.is_right() and form.password.data != form.again.data:
        form.refuse("again", NOT_THE_SAME)
    if form.faults:
        return _draw(form), 422
    person = _person()
    try:
        identity.change_password(
            person.id,
            form.present.data,
            form.password.data,
            seen=seen(),
            session_id=person.session_id,
        )
    except identity.PasswordWrong as error:
        form.refuse("present", error.sentence)
        return _draw(form), 422
    except identity.PasswordUnfit as error:
        form.refuse("password", error.sentence, **error.params)
        return _draw(form), 422
    except TooMany as error:
        status = refused(form, error)
        return _draw(form), status, {"Retry-After": str(error.retry_after_s)}
    return see_other("account.index", say=CHANGED)


@bp.post("/sessions/<uuid:session_id>/end")
@requires()
def end_one(session_id: UUID) -> Response:
    """Sign one of one's browsers out."""
    person = _person()
    if session_id == person.session_id:
        return _leave()
    identity.revoke_session(person.id, session_id)
    return see_other("account.index", say=ENDED)


@bp.post("/apps/<uuid:authorisation_id>/end")
@requires()
def end_app(authorisation_id: UUID) -> Response:
    """Let an app or a device act for oneself no longer."""
    identity.revoke_authorisation(_person().id, authorisation_id)
    return see_other("account.index", say=APP_ENDED)


@bp.post("/sessions/end-all")
@requires()
def end_all() -> Response:
    """Sign all of one's browsers out, this one too."""
    identity.revoke_sessions_of(_person().id)
    return _leave()


def _leave() -> Response:
    response = see_other(SIGN_IN, say=ALL_ENDED)
    end_session(response)
    return response


@bp.post("/switch")
@requires()
def switch() -> Response:
    """Take another of one's roles, in a new session."""
    tenant, _, membership = request.form.get("membership", "").partition(".")
    try:
        person = _person()
        opened = identity.open_session(
            person.id,
            UUID(tenant),
            UUID(membership),
            user_agent=request.user_agent.string,
            follows=person.session_id,
        )
    except ValueError as error:
        raise identity.MemberNotFound from error
    except identity.SecondStepMissing as error:
        return see_other("account.index", say=error.sentence, kind="warning")
    except identity.SessionOver:
        return see_other("account.index", say=ROLE_GONE, kind="warning")
    response = see_other(after_sign_in(None, opened.membership.role))
    start_session(response, opened)
    return response
