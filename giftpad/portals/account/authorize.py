"""Signing in to a client: who is asked what, before the person goes back to it.

Hides: how it is known that somebody signed in again because a client wanted them to.

Source: OpenID Connect Core 1.0, section 3.1.2; RFC 6749, section 4.1.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, request, url_for

from giftpad import guard, identity
from giftpad.edge import (
    Person,
    demand_private_connection,
    find_caller,
    open_text,
    public,
    seal_text,
)
from giftpad.portals.account.client_requests import (
    AUTHORIZE,
    SINCE,
    looks_for,
    read_parameters,
    stay,
)
from giftpad.portals.account.places import LENGTH_MAX, SIGN_IN
from giftpad.portals.account.roles import ALL_NAMES
from giftpad.portals.http import page, see_other

bp = Blueprint("authorize", __name__)

WHY = "Whoever signs in to a client has no session yet; without one they are asked to sign in."
_PURPOSE, _CONSENT = "authorize-since", "authorize-consent"
SINCE_S = 900
CLOCKS_DIFFER_S = 5


@bp.get("/authorize")
@public(WHY)
def index() -> Response | str | tuple[str, int]:
    """Send a person who is signed in back to the client with a code; ask the others to sign in."""
    demand_private_connection()
    parameters = read_parameters()
    if parameters is None:
        return stay("invalid_request", "A parameter is repeated.")
    since = parameters.pop(SINCE, "")
    try:
        asked = identity.ask_sign_in(parameters)
        if _invites(asked):
            return _ask_to_join(asked, parameters)
        return _answer(asked, parameters, since)
    except identity.AuthorisationRefused as refused:
        if not refused.location:
            return stay(refused.error, refused.description)
        return _go(refused.location)


def _go(location: str) -> Response:
    made = redirect(location, 303)
    assert isinstance(made, Response)
    return made


def _invites(asked: identity.SignInAsked) -> bool:
    """Whether a client has sent an invitation along that is good, and of its own organisation.

    Any other is left alone: whoever took theirs before goes on as the member they are.
    """
    if not asked.invitation or "none" in asked.prompts:
        return False
    try:
        invitation = identity.find_invitation(asked.invitation)
    except identity.InvitationNotFound:
        return False
    return invitation.tenant_id == asked.client.tenant_id


def _answer(
    asked: identity.SignInAsked, parameters: Mapping[str, str], since: str
) -> Response | str:
    """Answer by who is signed in here.

    Raises: AuthorisationRefused.
    """
    caller = find_caller()
    person = caller.person if caller is not None else None
    session = identity.find_session(person.id, person.session_id) if person is not None else None
    is_other = person is not None and asked.hinted not in (None, person.id)
    if (
        person is None
        or session is None
        or is_other
        or _must_prove(asked, session, parameters, since)
    ):
        if "none" in asked.prompts:
            raise identity.refuse_sign_in(asked, "login_required", "Login required")
        return _ask_to_sign_in(asked, parameters, since)
    if caller is not None and caller.claims.visit_id is not None:
        message = "An operator on a visit signs in to no client."
        raise identity.refuse_sign_in(asked, "access_denied", message)
    roles = [
        each
        for each in identity.list_memberships(person.id)
        if each.tenant_id == asked.client.tenant_id
    ]
    role = _choose(roles, person, caller.tenant.id if caller is not None else None)
    if not roles:
        message = "The person is not a member of this organization."
        raise identity.refuse_sign_in(asked, "access_denied", message)
    if role is None or "consent" in asked.prompts:
        if "none" in asked.prompts:
            raise identity.refuse_sign_in(asked, "interaction_required", "A role must be chosen.")
        return _ask(asked, roles, parameters, session)
    if identity.lacks_step(role, session.amr):
        if "none" in asked.prompts:
            raise identity.refuse_sign_in(asked, "interaction_required", "Another step is needed.")
        return _ask_to_sign_in(asked, parameters, since)
    if caller is not None:
        guard.admit(caller.actor.client_id, caller.rate)
    return _go(_allow(asked, role, session))


def _choose(
    roles: list[identity.Membership], person: Person, tenant_id: object
) -> identity.Membership | None:
    """Return the role somebody goes on with: the only one, or the one they have here already."""
    if len(roles) == 1:
        return roles[0]
    same = [each for each in roles if each.tenant_id == tenant_id and each.role == person.role]
    return same[0] if len(same) == 1 else None


def _allow(
    asked: identity.SignInAsked, role: identity.Membership, session: identity.SessionView
) -> str:
    """Return where the person goes with a code.

    Raises: AuthorisationRefused.
    """
    approval = identity.Approval(
        membership=role, session_id=session.id, proved_at=session.proved_at, amr=session.amr
    )
    try:
        return identity.allow_sign_in(asked, approval)
    except identity.SessionOver as error:
        raise identity.refuse_sign_in(asked, "login_required", "Login required") from error


def _must_prove(
    asked: identity.SignInAsked,
    session: identity.SessionView,
    parameters: Mapping[str, str],
    since: str,
) -> bool:
    """Whether a client wants a person to sign in who has done so, but not since it asked.

    Whom a tenant's own provider has let in is signed in for the clients of that tenant only.
    """
    if session.connection_id is not None and session.tenant_id != asked.client.tenant_id:
        return True
    opened = open_text(_PURPOSE, since, SINCE_S) if since else None
    if opened is not None and opened["of"] == _digest(parameters):
        return session.proved_at.timestamp() < float(opened["at"]) - CLOCKS_DIFFER_S
    if {"login", "select_account"} & asked.prompts:
        return True
    age_s = time.time() - session.proved_at.timestamp()
    return asked.max_age_s is not None and age_s > asked.max_age_s


def _digest(parameters: Mapping[str, str]) -> str:
    return hashlib.sha256(urlencode(sorted(parameters.items())).encode()).hexdigest()


def _ask_to_sign_in(
    asked: identity.SignInAsked, parameters: Mapping[str, str], since: str
) -> Response:
    """Send somebody to the sign-in page, from where they come back here.

    Raises: AuthorisationRefused.
    """
    wanted = {"next": _back_here(asked, parameters, since), "again": "1"}
    if asked.login_hint:
        wanted["hint"] = asked.login_hint
    return _go(f"{SIGN_IN}?{urlencode(wanted)}")


def _back_here(asked: identity.SignInAsked, parameters: Mapping[str, str], since: str = "") -> str:
    """Return the address of this request, with the mark of when somebody was asked to sign in.

    Raises: AuthorisationRefused.
    """
    sealed = seal_text(_PURPOSE, {"at": time.time(), "of": _digest(parameters)})
    here = f"{AUTHORIZE}?{urlencode({**parameters, SINCE: since or sealed})}"
    if len(here) > LENGTH_MAX:
        raise identity.refuse_sign_in(asked, "invalid_request", "The request is too long.")
    return here


def _ask_to_join(asked: identity.SignInAsked, parameters: Mapping[str, str]) -> Response:
    """Send somebody to their invitation, from where they come back here as a member.

    Raises: AuthorisationRefused.
    """
    rest = {name: value for name, value in parameters.items() if name != "invitation"}
    here = _back_here(asked, rest)
    return _go(url_for("join.index", code=asked.invitation, next=here))


def _ask(
    asked: identity.SignInAsked,
    roles: list[identity.Membership],
    parameters: Mapping[str, str],
    session: identity.SessionView,
) -> str:
    """Ask whether the client may know who somebody is, and in which role."""
    return page(
        "account/consent.html",
        client=asked.client,
        names=asked.names,
        roles=roles,
        role_names=ALL_NAMES,
        asked=seal_text(_CONSENT, {"of": dict(parameters), "session": str(session.id)}),
        **looks_for(asked),
    )


@bp.post("/authorize/answer")
@public(WHY)
def decide() -> Response | tuple[str, int]:
    """Take the person's answer to what a client asks."""
    g.page_path = url_for("home.index")
    opened = open_text(_CONSENT, request.form.get("asked", ""), SINCE_S)
    if opened is None:
        return see_other(SIGN_IN)
    try:
        asked = identity.ask_sign_in(opened["of"])
        caller = find_caller()
        person = caller.person if caller is not None else None
        session = (
            identity.find_session(person.id, person.session_id) if person is not None else None
        )
        if person is None or session is None or str(session.id) != opened["session"]:
            return see_other(SIGN_IN)
        chosen = request.form.get("membership", "")
        role = next(
            (
                each
                for each in identity.list_memberships(person.id)
                if str(each.id) == chosen and each.tenant_id == asked.client.tenant_id
            ),
            None,
        )
        if role is None:
            raise identity.refuse_sign_in(asked, "access_denied", "The person said no.")
        if identity.lacks_step(role, session.amr):
            return _ask_to_sign_in(asked, opened["of"], "")
        return _go(_allow(asked, role, session))
    except identity.AuthorisationRefused as refused:
        if not refused.location:
            return stay(refused.error, refused.description)
        return _go(refused.location)
