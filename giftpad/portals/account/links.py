"""Accounts of one's organisation that are linked to one's own: to add one, and to take it away."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import identity, tenancy
from giftpad.edge import Person, current_caller, current_locale, requires
from giftpad.kernel.errors import TooMany
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope
from giftpad.portals.account.federation import leave_for
from giftpad.portals.forms import Form, Password, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("links", __name__, url_prefix="/account/links")

UNLINKED = mark("The account is not linked any more.")
Refused = tuple[str, int] | tuple[str, int, dict[str, str]]


class ProofForm(Form):
    """The password once more, before something that decides who may come in."""

    present = Password(mark("Present password"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An account that can be linked, or is."""

    connection_id: UUID
    name: str
    tenant: tenancy.Tenant
    link: identity.LinkView | None


def list_shown(person: Person, here: tenancy.Tenant) -> list[Shown]:
    """Return what somebody has linked anywhere, and what they can link in the tenant they are in.

    The platform has no provider of its own.
    """
    links = {each.connection_id: each for each in identity.list_links(person.id)}
    names = identity.name_connections(
        [(each.tenant_id, each.connection_id) for each in links.values()]
    )
    open_here = (
        identity.list_connections(Scope(tenant_id=here.id), but_disabled=True)
        if here.id != tenancy.PLATFORM_TENANT_ID
        else []
    )
    shown = [
        Shown(
            connection_id=each.connection_id,
            name=names[each.connection_id],
            tenant=tenancy.get_tenant(each.tenant_id),
            link=each,
        )
        for each in links.values()
    ]
    return shown + [
        Shown(connection_id=each.id, name=each.name, tenant=here, link=None)
        for each in open_here
        if each.id not in links
    ]


def _find(connection_id: UUID) -> Shown:
    caller = current_caller()
    assert caller.person is not None, "a page knows persons only"
    for each in list_shown(caller.person, caller.tenant):
        if each.connection_id == connection_id:
            return each
    raise identity.ConnectionNotFound


def _person() -> Person:
    person = current_caller().person
    assert person is not None, "a page knows persons only"
    return person


def _prove_again(form: ProofForm) -> None:
    """Let the person before this browser prove once more who they are.

    Raises: PasswordWrong, SignInThrottled, SessionOver.
    """
    identity.confirm_password(_person().id, form.present.data or "")


def _draw(shown: Shown, form: ProofForm) -> str:
    return page("account/link.html", shown=shown, form=form)


def _refused(shown: Shown) -> Refused | None:
    """Judge the password in the form; return the page to show where it is not right."""
    form = ProofForm(request.form)
    if not form.is_right():
        return _draw(shown, form), 422
    try:
        _prove_again(form)
    except identity.PasswordWrong as error:
        form.refuse("present", error.sentence)
        return _draw(shown, form), 422
    except TooMany as error:
        status = refused(form, error)
        return _draw(shown, form), status, {"Retry-After": str(error.retry_after_s)}
    return None


@bp.get("/<uuid:connection_id>")
@requires()
def index(connection_id: UUID) -> str:
    """Ask for the password, before an account is linked or taken away."""
    return _draw(_find(connection_id), ProofForm())


@bp.post("/<uuid:connection_id>")
@requires()
def link(connection_id: UUID) -> Response | Refused:
    """Send somebody to the provider of their organisation, to link the account they have there."""
    shown, person = _find(connection_id), _person()
    if (answer := _refused(shown)) is not None:
        return answer
    kept = {"back": "/account", "person": str(person.id), "session": str(person.session_id)}
    return leave_for(shown.tenant.id, connection_id, kept)


@bp.post("/<uuid:connection_id>/end")
@requires()
def unlink(connection_id: UUID) -> Response | Refused:
    """Take a link away."""
    shown, person = _find(connection_id), _person()
    if (answer := _refused(shown)) is not None:
        return answer
    asking = identity.Asking(
        person_id=person.id,
        session_id=person.session_id,
        locale=current_locale(),
        user_agent=request.user_agent.string,
    )
    identity.unlink_account(asking, connection_id)
    return see_other("account.index", say=UNLINKED)
