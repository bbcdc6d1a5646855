"""Signing in with an account of one's organisation: the way to its provider and back.

Hides: the cookie that binds the way to the browser that began it.  Whatever goes wrong on it ends
on one plain page that says what to do, and leaves everything as it was.

Source: OpenID Connect Core 1.0, section 3.1.2; RFC 9700, section 2.1.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, g, make_response, request, url_for

from giftpad import identity, tenancy
from giftpad.edge import (
    clear_cookie,
    current_locale,
    demand_private_connection,
    find_caller,
    public,
    read_sealed_cookie,
    set_sealed_cookie,
    source_address,
)
from giftpad.kernel.errors import DomainError, TooMany
from giftpad.kernel.i18n import mark
from giftpad.portals.account.client_requests import find_client_request, roles_for
from giftpad.portals.account.pending import NO_ROLE, Pending, go_on
from giftpad.portals.account.places import SIGN_IN, local_path
from giftpad.portals.http import page, see_other
from giftpad.portals.refusals import refusal_in_words
from giftpad.portals.theme import logo_href, theme_href
from giftpad.portals.words import say_in_words

bp = Blueprint("federation", __name__)

WAY_COOKIE = "gp_way"
WHY = "Whoever signs in has no session yet; what their organisation's provider says is judged."

FAILED = mark("You could not be signed in")
NOT_LINKED = mark("This account is not linked yet")
NOT_DONE = mark("The account was not linked")
AGAIN = mark(
    "What came back from there cannot be used. Please begin again. If it happens once more, tell"
    " whoever looks after the accounts of your organisation."
)
LOST = mark("It took too long, or it was begun in another browser. Please begin again.")
CLOSED = mark(
    "This way of signing in is not in use any more. Sign in with your e-mail address and password."
)
LINK_FIRST = mark(
    "Sign in once with your e-mail address and password. Then open the page of your account and"
    " link it there. From then on this way works."
)
LINKED = mark("The account is linked. From now on you can sign in with it.")
NOTHING = mark("Nothing was changed.")


@bp.post("/sign-in/with/<slug>/<uuid:connection_id>")
@public(WHY)
def start(slug: str, connection_id: UUID) -> Response:
    """Send somebody to the provider of their organisation, to prove there who they are."""
    demand_private_connection()
    wanted = local_path(request.form.get("next"))
    g.page_path = url_for("sign_in.index", next=wanted, org=slug)
    tenant = g.way_tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None:
        return _failed(identity.ConnectionNotFound(), g.page_path)
    kept = {"next": wanted, "back": g.page_path}
    try:
        return leave_for(tenant.id, connection_id, kept)
    except (identity.ConnectionNotFound, TooMany) as error:
        return _failed(error, g.page_path)


def leave_for(tenant_id: UUID, connection_id: UUID, kept: dict[str, Any]) -> Response:
    """Return the page from which a browser goes on to a provider by itself.

    It is no redirect: a browser judges every step that follows a form by the page of the form,
    and where a provider sends people on to is known to nobody here.
    Raises: ConnectionNotFound, SignInThrottled, ConnectionOpen.
    """
    address, connection, started = identity.start_federation(
        tenant_id, connection_id, source=source_address()
    )
    tenant = tenancy.get_tenant(tenant_id)
    response = make_response(
        page(
            "account/going.html",
            name=connection.name,
            address=address,
            host=urlsplit(address).netloc,
            **_looks(tenant),
        )
    )
    way = kept | {"way": asdict(started)}
    set_sealed_cookie(response, WAY_COOKIE, way, identity.STARTED_LIFE_S)
    return response


@bp.get("/sign-in/back")
@public(WHY)
def back() -> Response:
    """Let in, or link, whoever is back from a provider."""
    demand_private_connection()
    g.page_path = SIGN_IN  # what stands in this address is good once
    kept = read_sealed_cookie(WAY_COOKIE)
    parameters = request.args.to_dict()
    if kept is None or any(len(values) > 1 for values in request.args.listvalues()):
        return _draw(FAILED, [LOST], SIGN_IN, 400)
    g.page_path = kept["back"]
    g.way_tenant = tenancy.find_tenant(UUID(kept["way"]["tenant_id"]))
    started = _read_way(kept["way"])
    try:
        if "person" in kept:
            response = _link(started, parameters, kept)
        else:
            response = _let_in(started, parameters, kept)
    except identity.FederationRefused as error:
        response = _failed(error, kept["back"], is_linking="person" in kept)
        if error.reason == "state":  # another way that was begun here may still be under way
            return response
    except DomainError as error:
        response = _failed(error, kept["back"], is_linking="person" in kept)
    clear_cookie(response, WAY_COOKIE)
    return response


def _read_way(kept: dict[str, Any]) -> identity.Started:
    ids = {name: UUID(kept[name]) for name in ("tenant_id", "connection_id")}
    return identity.Started(**(kept | ids))


def _let_in(
    started: identity.Started, parameters: dict[str, str], kept: dict[str, Any]
) -> Response:
    """Go on as after a password, in the roles of the provider's organisation.

    What the provider has asked of them nobody knows here: a role that wants a second step still
    wants it.
    Raises: FederationRefused, ConnectionNotFound, ProviderAway, LinkMissing.
    """
    wanted = kept["next"]
    arrived = identity.arrive(started, parameters)
    if not roles_for(find_client_request(wanted), arrived.memberships):
        return _draw(FAILED, [NO_ROLE], kept["back"], 403)
    return go_on(
        Pending(
            person_id=arrived.person_id,
            proof=arrived.proof,
            methods=(identity.FEDERATED_METHOD,),
            wanted=wanted,
            connection=(started.tenant_id, arrived.connection_id),
        )
    )


def _link(started: identity.Started, parameters: dict[str, str], kept: dict[str, Any]) -> Response:
    """Link the account for whoever asked for it, if this browser is signed in as they were.

    Raises: FederationRefused, ConnectionNotFound, ProviderAway, LinkTaken, LinkExists, SessionOver.
    """
    caller = find_caller()
    person = caller.person if caller is not None else None
    if person is None or (str(person.id), str(person.session_id)) != (
        kept["person"],
        kept["session"],
    ):
        return _draw(NOT_DONE, [LOST, NOTHING], SIGN_IN, 400)
    asking = identity.Asking(
        person_id=person.id,
        session_id=person.session_id,
        locale=current_locale(),
        user_agent=request.user_agent.string,
    )
    identity.link_account(asking, started, parameters)
    return see_other("account.index", say=LINKED)


def _failed(error: DomainError, back: str, *, is_linking: bool = False) -> Response:
    """Say in a page why somebody is not let in, and what they can do."""
    heading = NOT_DONE if is_linking else FAILED
    if isinstance(error, identity.FederationRefused):
        return _draw(heading, [AGAIN, NOTHING], back, 400)
    if isinstance(error, identity.LinkMissing):
        return _draw(NOT_LINKED, [LINK_FIRST], back, 403)
    if isinstance(error, identity.ConnectionNotFound):
        return _draw(heading, [CLOSED], back, 403)
    if isinstance(error, identity.SessionOver):
        return _draw(heading, [NO_ROLE], back, 403)
    if isinstance(error, identity.LinkTaken | identity.LinkExists):
        return _draw(heading, [refusal_in_words(error), NOTHING], back, 409)
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is None:
        raise error
    response = _draw(heading, [refusal_in_words(error)], back, _busy_status(error))
    response.headers["Retry-After"] = str(retry_after_s)
    return response


def _busy_status(error: DomainError) -> int:
    return 429 if isinstance(error, TooMany) else 503


def _looks(tenant: tenancy.Tenant | None) -> dict[str, Any]:
    """Return how a page of the way looks: as the organisation does, once it is known."""
    if tenant is None:
        return {}
    return {"tenant": tenant, "theme_href": theme_href(tenant), "logo_href": logo_href(tenant)}


def _draw(heading: str, lines: list[str], back: str, status: int) -> Response:
    shown = page(
        "account/not_in.html",
        status=status,
        heading=say_in_words(heading),
        lines=[say_in_words(line) for line in lines],
        back=back,
        **_looks(g.get("way_tenant")),
    )
    return make_response(shown, status)
