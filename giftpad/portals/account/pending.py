"""A sign-in on its way: who has proved what so far, and which step comes next.

Hides: how it is kept between the steps, and their order: a second step if there is one to take,
the role if there are several, a second factor if the role asks for one and there is none.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from flask import Response, request, url_for

from giftpad import identity, tenancy
from giftpad.edge import (
    clear_cookie,
    current_locale,
    read_sealed_cookie,
    set_sealed_cookie,
    start_session,
)
from giftpad.kernel.i18n import mark
from giftpad.portals.account.client_requests import find_client_request, roles_for
from giftpad.portals.account.places import SIGN_IN, after_sign_in
from giftpad.portals.http import see_other

COOKIE, LIFE_S = "gp_choosing", 600
SEEN_COOKIE, SEEN_S = "gp_known", 365 * 24 * 3600
SEEN_MOST, MARK_LENGTH = 12, 16

TOO_LATE = mark("That took too long. Please sign in again.")
NO_ROLE = mark(
    "You are not a member of any organisation here any more. Ask the one that invited you."
)
NOT_MEMBER = mark(
    "You are not a member of {organisation}. Sign in as somebody who is, or ask there to be"
    " invited."
)
ROLE_GONE = mark("This role is not yours any more. Please sign in again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Somebody between their first proof and their session; ``chosen`` is tenant and membership.

    They have ten minutes from the first proof, however many steps there are.

    Whom a tenant's own provider has let in has come by its ``connection``, into that tenant alone.
    """

    person_id: UUID
    proof: str = field(repr=False)
    methods: tuple[str, ...]
    began_at: int = field(default_factory=lambda: int(time.time()))
    wanted: str | None = None
    chosen: tuple[UUID, UUID] | None = None
    connection: tuple[UUID, UUID] | None = None
    """The tenant and its connection."""


def begin(proved: identity.SignedIn, wanted: str | None) -> Pending:
    """Return somebody who has just taken the first step."""
    return Pending(
        person_id=proved.person_id, proof=proved.proof, methods=proved.methods, wanted=wanted
    )


def find_pending() -> Pending | None:
    """Return who is on their way in this browser; None if nobody, or too long ago."""
    kept = read_sealed_cookie(COOKIE)
    if kept is None or time.time() >= kept["began_at"] + LIFE_S:
        return None
    return Pending(
        person_id=UUID(kept["person"]),
        proof=kept["proof"],
        methods=tuple(kept["methods"]),
        began_at=kept["began_at"],
        wanted=kept["next"],
        chosen=_as_pair(kept["chosen"]),
        connection=_as_pair(kept["connection"]),
    )


def _as_pair(kept: list[str] | None) -> tuple[UUID, UUID] | None:
    return (UUID(kept[0]), UUID(kept[1])) if kept else None


def _as_texts(pair: tuple[UUID, UUID] | None) -> list[str] | None:
    return [str(each) for each in pair] if pair else None


def begin_again() -> Response:
    """Send somebody to the sign-in page who was on their way too long ago."""
    return see_other(SIGN_IN, say=TOO_LATE, kind="info")


def keep(response: Response, pending: Pending) -> Response:
    """Let the browser keep how far somebody is."""
    kept = {
        "person": str(pending.person_id),
        "proof": pending.proof,
        "methods": list(pending.methods),
        "began_at": pending.began_at,
        "next": pending.wanted,
        "chosen": _as_texts(pending.chosen),
        "connection": _as_texts(pending.connection),
    }
    set_sealed_cookie(response, COOKIE, kept, LIFE_S)
    return response


def add_step(pending: Pending, methods: tuple[str, ...]) -> Pending:
    """Return somebody who has taken another step."""
    return replace(pending, methods=tuple(dict.fromkeys((*pending.methods, *methods))))


def go_on(pending: Pending) -> Response:
    """Send somebody to their next step, or in.

    Raises: ConnectionOpen.
    """
    is_whole = identity.has_second_step(pending.methods)
    if not is_whole and identity.find_factors(pending.person_id).are_any:
        return keep(see_other("second_step.index"), pending)
    roles = list_roles(pending)
    if pending.chosen is not None:
        roles = [each for each in roles if (each.tenant_id, each.id) == pending.chosen]
    if not roles:
        return _turn_back(pending)
    if len(roles) > 1:
        return keep(see_other("sign_in.choose"), pending)
    role = roles[0]
    if identity.lacks_step(role, pending.methods):
        return keep(see_other("set_up.index"), pending)
    return _enter(pending, role)


def _turn_back(pending: Pending) -> Response:
    """Send somebody without a role back to the sign-in page, on the same way."""
    if pending.chosen is not None:
        return see_other(SIGN_IN, say=ROLE_GONE, kind="warning")
    sentence, params = why_no_role(pending.wanted, identity.list_memberships(pending.person_id))
    way = url_for("sign_in.index", next=pending.wanted, again=1 if pending.wanted else None)
    return see_other(way, say=sentence, params=params, kind="warning")


def why_no_role(
    wanted: str | None, memberships: Sequence[identity.Membership]
) -> tuple[str, dict[str, object]]:
    """Return the sentence for somebody who has no role to go on with, and what it names.

    Whoever belongs to another organisation than the app is told so, and not that they are gone.
    """
    asked = find_client_request(wanted)
    if asked is None or not memberships:
        return NO_ROLE, {}
    tenant = tenancy.get_tenant(asked.client.tenant_id)
    return NOT_MEMBER, {"organisation": tenant.name_in(current_locale())}


def list_roles(pending: Pending) -> list[identity.Membership]:
    """Return the roles that somebody can go on with."""
    memberships = identity.list_memberships(pending.person_id)
    return [
        each
        for each in roles_for(find_client_request(pending.wanted), memberships)
        if pending.connection is None or each.tenant_id == pending.connection[0]
    ]


def _enter(pending: Pending, role: identity.Membership) -> Response:
    try:
        opened = identity.open_session(
            pending.person_id,
            role.tenant_id,
            role.id,
            user_agent=request.user_agent.string,
            proof=pending.proof,
            methods=pending.methods,
            connection_id=pending.connection[1] if pending.connection else None,
        )
    except (identity.SessionOver, identity.SecondStepMissing):
        return see_other(SIGN_IN, say=ROLE_GONE, kind="warning")
    response = see_other(after_sign_in(pending.wanted, opened.membership.role))
    start_session(response, opened)
    clear_cookie(response, COOKIE)
    _know_browser(response, pending.person_id, opened.session_id)
    return response


def seen() -> identity.Seen:
    """Return from where this request's person acts."""
    return identity.Seen(user_agent=request.user_agent.string, locale=current_locale())


def _know_browser(response: Response, person_id: UUID, session_id: UUID) -> None:
    """Remember that somebody has signed in with this browser; tell them if it is a new one."""
    mine = hashlib.sha256(person_id.bytes).hexdigest()[:MARK_LENGTH]
    kept = read_sealed_cookie(SEEN_COOKIE)
    known = list(kept["people"]) if kept is not None else []
    if mine not in known:
        identity.tell_of_new_browser(person_id, session_id, seen())
    people = [mine, *(each for each in known if each != mine)][:SEEN_MOST]
    set_sealed_cookie(response, SEEN_COOKIE, {"people": people}, SEEN_S)
