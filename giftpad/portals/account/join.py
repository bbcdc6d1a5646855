"""Joining by a link: looking at an invitation changes nothing, taking it can be done once."""

from __future__ import annotations

from flask import Blueprint, Response, g, request, url_for

from giftpad import identity, tenancy
from giftpad.edge import demand_private_connection, public, source_address
from giftpad.kernel.errors import TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.client_requests import find_client_request, looks_for
from giftpad.portals.account.pending import Pending, go_on
from giftpad.portals.account.places import local_path
from giftpad.portals.account.roles import HELPS, NAMES
from giftpad.portals.forms import Form, Password, Words, refused
from giftpad.portals.http import page
from giftpad.portals.theme import logo_href, theme_href

bp = Blueprint("join", __name__, url_prefix="/join")

NAME_MOST, EMAIL_MOST = 200, 254
WHY = "Whoever holds an invitation has no account yet; the link is the proof."


class JoinForm(Form):
    """Who joins, and the password: a new one, or the one they have."""

    name = Words(mark("Your name"), most=NAME_MOST)
    email = Words(mark("E-mail address"), most=EMAIL_MOST)
    password = Password(mark("Password"))


def _wanted() -> str | None:
    """Return where somebody goes on to: back to the client that has sent the invitation along."""
    return local_path(request.args.get("next"))


def _draw(invitation: identity.InvitationView, form: JoinForm) -> str:
    tenant, asked = tenancy.get_tenant(invitation.tenant_id), find_client_request(_wanted())
    values = looks_for(asked) | {
        "form": form,
        "invitation": invitation,
        "tenant": tenant,
        "theme_href": theme_href(tenant),
        "logo_href": logo_href(tenant),
        "role_names": NAMES,
        "role_helps": HELPS,
        "least": identity.PASSWORD_LENGTH_MIN,
        "client": asked.client if asked is not None else None,
    }
    return page("account/join.html", **values)


def _over() -> tuple[str, int]:
    return page("account/join_over.html"), 404


@bp.get("/<code>")
@public(WHY)
def index(code: str) -> str | tuple[str, int]:
    """Show what somebody is invited to."""
    demand_private_connection()
    try:
        invitation = identity.find_invitation(code)
    except identity.InvitationNotFound:
        return _over()
    return _draw(invitation, JoinForm(name=invitation.name, email=invitation.email or ""))


@bp.post("/<code>")
@public(WHY)
def take(code: str) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Take the invitation, and sign in with it."""
    form = JoinForm(request.form)
    g.page_path = url_for(".index", code=code, next=_wanted())
    try:
        invitation = identity.find_invitation(code)
        if not form.is_right():
            return _draw(invitation, form), 422
        joined = identity.accept_invitation(
            code,
            name=form.name.data,
            email=form.email.data,
            password=form.password.data,
            source=source_address(),
        )
    except identity.InvitationNotFound:
        return _over()
    except (identity.NameUnfit, identity.EmailInvalid, identity.PasswordUnfit) as error:
        form.refuse(FIELDS[type(error)], error.sentence, **error.params)
        return _draw(invitation, form), 422
    except identity.SignInRefused as error:
        status = refused(form, error)
        form.refuse("password", KNOWN)
        return _draw(invitation, form), status
    except TooMany as error:
        status = refused(form, error)
        return _draw(invitation, form), status, {"Retry-After": str(error.retry_after_s)}
    return go_on(
        Pending(
            person_id=joined.person_id,
            proof=joined.proof,
            methods=joined.methods,
            wanted=_wanted(),
            chosen=(joined.tenant_id, joined.membership_id),
        )
    )


KNOWN = mark("This address has an account here. Type the password of that account.")
FIELDS: dict[type[Exception], str] = {
    identity.NameUnfit: "name",
    identity.EmailInvalid: "email",
    identity.PasswordUnfit: "password",
}
