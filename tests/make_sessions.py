"""Builders: people who are signed in, and pages to show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from giftpad import edge, identity, tenancy
from giftpad.kernel.config import Settings
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope
from tests.make_identity import probing_app

PASSWORD = "quiet rivers run deep"
TWO_STEPS = ("pwd", "otp", "mfa")
"""How most people of these tests have proved who they are: their roles ask for it."""
HOME = "127.0.0.1"
REASON = "asked by phone why a coupon is refused"
SESSION_NAMES = ("gp_session", "__Host-gp_session")


@dataclass(frozen=True, kw_only=True)
class Somebody:
    """A person with one role of a tenant."""

    scope: Scope
    person_id: object
    membership_id: object
    email: str
    role: str


def make_somebody(scope: Scope, role: str = "owner", *, shop_id=None, email=None) -> Somebody:
    """Make a person with a role, or give a known one another."""
    email = email or f"{new_id().hex[-12:]}@example.jp"
    new = identity.NewPerson(
        email=email, name="山田 花子", role=role, password=PASSWORD, shop_id=shop_id
    )
    person_id = identity.create_person(scope, new).person_id
    (membership,) = [
        found
        for found in identity.list_memberships(person_id)
        if (found.tenant_id, found.role, found.shop_id) == (scope.tenant_id, role, shop_id)
    ]
    return Somebody(
        scope=scope, person_id=person_id, membership_id=membership.id, email=email, role=role
    )


def open_session(somebody: Somebody) -> identity.OpenedSession:
    """Open a session as a sign-in would."""
    return identity.open_session(
        somebody.person_id, somebody.scope.tenant_id, somebody.membership_id, methods=TWO_STEPS
    )


def make_operator(role: str = "operator", *, email=None) -> Somebody:
    """Make somebody who runs the installation."""
    return make_somebody(Scope(tenant_id=tenancy.PLATFORM_TENANT_ID), role, email=email)


def enter_tenant(
    operator: Somebody, tenant_id: UUID, *, reason: str = REASON, lasts_s: int = 3600
) -> identity.OpenedSession:
    """Let an operator who has just signed in enter a tenant."""
    own = open_session(operator)
    return identity.begin_visit(
        operator.person_id, own.session_id, tenant_id, reason=reason, lasts_s=lasts_s
    )


def visit(scope: Scope) -> UUID:
    """Let a new operator visit a tenant, and return the visit's id."""
    visit_id = enter_tenant(make_operator(), scope.tenant_id).membership.visit_id
    assert visit_id is not None
    return visit_id


def draw(status, *, detail, money_moved, retry_after_s, **_more):
    """Draw a refusal as plainly as can be."""
    return f"<h1>{status}</h1><p>{detail}</p><p>moved: {money_moved}, again: {retry_after_s}</p>"


def add_pages(app: Flask) -> Flask:
    """Add pages to look at: for everybody, for the signed in, behind a permission, with a form."""
    pages = Blueprint("probes", __name__)

    @pages.get("/pages/open")
    @edge.public("A test.")
    def everybody():
        caller = edge.find_caller()
        name = caller.person.name if caller is not None else "nobody"
        return f"<p>{name}</p><input name=csrf value={edge.csrf_token()}>"

    @pages.get("/pages/mine")
    @edge.requires()
    def mine():
        caller = edge.current_caller()
        scope = edge.current_scope()
        return {
            "name": caller.person.name,
            "role": caller.person.role,
            "session": str(caller.person.session_id),
            "shop_id": str(caller.claims.shop_id),
            "actor": [scope.actor.kind, scope.actor.id, scope.actor.client_id],
            "csrf": edge.csrf_token(),
        }

    @pages.get("/pages/kept")
    @edge.requires("members:manage")
    def kept():
        return "for those who manage members"

    @pages.post("/pages/deed")
    @edge.requires()
    def deed():
        return "done"

    @pages.post("/pages/open-deed")
    @edge.public("A test.")
    def open_deed():
        return "done"

    @pages.post("/pages/enter/<uuid:tenant_id>/<uuid:membership_id>/<uuid:person_id>")
    @edge.public("A test.")
    def enter(tenant_id, membership_id, person_id):
        response = Response("in")
        opened = identity.open_session(
            person_id,
            tenant_id,
            membership_id,
            user_agent=request.user_agent.string,
            methods=TWO_STEPS,
        )
        edge.start_session(response, opened)
        return response

    _add_more(pages)
    edge.register_pages(app, pages)
    edge.answer_pages_with(app, draw)
    return app


def app_with_pages(settings: Settings) -> Flask:
    """Build the application with the probes and the pages."""
    return add_pages(probing_app(settings))


def _add_more(pages: Blueprint) -> None:
    """Add a way out, a page that scans, and one that breaks."""

    @pages.post("/pages/leave")
    @edge.public("A test.")
    def leave():
        response = Response("out")
        edge.end_session(response)
        return response

    @pages.get("/pages/scan")
    @edge.public("A test.")
    def scan():
        edge.allow_wasm()
        return "a camera"

    @pages.get("/pages/accident")
    @edge.public("A test.")
    def accident():
        message = "the database password is hunter2"
        raise RuntimeError(message)


class Browser:
    """A browser that keeps cookies and says what browsers say."""

    def __init__(self, app: Flask, *, base_url: str = "http://localhost") -> None:
        self.client: FlaskClient = app.test_client()
        self.base_url = base_url

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open a page."""
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"} | headers
        return self.client.get(path, headers=headers, base_url=self.base_url)

    def post(self, path: str, data=None, *, csrf: str | None = "fresh", **headers: str):
        """Send a form, with the token of a page just opened unless another is given."""
        fields = dict(data or {})
        if csrf == "fresh":
            csrf = self.csrf()
        if csrf is not None:
            fields["csrf"] = csrf
        headers = {
            "Accept": "text/html",
            "Sec-Fetch-Site": "same-origin",
            "Origin": "null",
        } | headers
        sent = {name: value for name, value in headers.items() if value}
        return self.client.post(path, data=fields, headers=sent, base_url=self.base_url)

    def csrf(self, path: str = "/pages/open") -> str:
        """Return the token that a form of a page carries."""
        found = re.search(r"name=\"?csrf\"? value=\"?([\w=-]+)", self.get(path).text)
        assert found is not None
        return found[1]

    def enter(self, somebody: Somebody) -> Browser:
        """Sign in without a password."""
        where = f"{somebody.scope.tenant_id}/{somebody.membership_id}/{somebody.person_id}"
        answered = self.post(f"/pages/enter/{where}")
        assert answered.status_code == 200, answered.text
        return self

    @property
    def session_cookie(self) -> str | None:
        """The value of the session cookie."""
        for name in SESSION_NAMES:
            cookie = self.client.get_cookie(name)
            if cookie is not None:
                return cookie.value
        return None

    def set_session(self, value: str, name: str = "gp_session") -> None:
        """Put another value into the session cookie."""
        self.client.set_cookie(name, value)
