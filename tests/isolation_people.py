"""People of two tenants at the pages: their browsers, what they send, what they can see of it."""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response
from werkzeug.test import TestResponse

from giftpad import edge, identity, shops
from giftpad.edge import Door
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy import PLATFORM_TENANT_ID
from tests.isolation_world import FIXED_ID, Call, Side, World
from tests.make_pages import HOST, Browser, Site
from tests.make_sessions import TWO_STEPS

POLICY = (
    "default-src 'none'; script-src 'self'{wasm}; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SENT_LENGTH_LEAST = 8
NOTICE = "gp_say"
PLATFORM = Scope(tenant_id=PLATFORM_TENANT_ID)
FAR_CLERK = "clerk of the second shop"
_TOKEN = re.compile(r'"[A-Za-z0-9_=-]{68}"')
_KEY = re.compile(r'(name="key"[^>]* value=)"[0-9a-f]{32}"')


@dataclass(kw_only=True)
class Desk:
    """The people of one tenant, by role, each with a browser; and one in another shop."""

    side: Side
    site: Site
    number: str
    far_number: str

    browsers: dict[str, Browser] = field(default_factory=dict)

    def person(self, role: str) -> Browser:
        """Return the browser of somebody with a role; shop people are of the first shop."""
        if role not in self.browsers:
            far = role == FAR_CLERK
            number = self.far_number if far else self.number
            member = self.join("clerk" if far else role, shop=number)
            self.browsers[role] = self.enter(member)
        return self.browsers[role]

    def join(self, role: str, *, shop: str = "") -> identity.MemberView:
        """Give somebody new a role."""
        email = self.site.new_person(role, shop=shop or self.number)
        (found,) = [m for m in identity.list_members(self.scope_of(role)) if m.email == email]
        return found

    def scope_of(self, role: str) -> Scope:
        """Return where a role exists: those of operators in the platform and nowhere else."""
        return PLATFORM if role in identity.OPERATOR_ROLES else self.side.scope

    def enter(self, member: identity.MemberView) -> Browser:
        """Open a session for a member, without the password that a sign-in would grind."""
        opened = identity.open_session(
            member.person_id,
            self.scope_of(member.role).tenant_id,
            member.membership_id,
            methods=TWO_STEPS,
        )
        with self.site.app.test_request_context(base_url=f"http://{HOST}"):
            response = self.site.app.response_class()
            edge.start_session(response, opened)
        browser = self.site.nobody()
        browser.http.set_cookie("gp_session", _value(response), domain="localhost")
        assert browser.get("/account").status_code == 200
        return browser


@dataclass(kw_only=True)
class Pages:
    """The world as people see it: the doors that are pages, and who knocks at them."""

    world: World
    home: Desk
    other: Desk
    doors: dict[str, Door] = field(default_factory=dict)

    @property
    def app(self) -> Flask:
        return self.world.app


def _value(response: Response) -> str:
    """Return the value of the one cookie that an answer sets."""
    return response.headers["Set-Cookie"].partition(";")[0].partition("=")[2]


def _desk(world: World, side: Side) -> Desk:
    with unit_of_work(side.scope) as work:
        numbers = [
            shops.get_shop(work, shop_id).number
            for shop_id in (side.town.shop_id, side.town.outside_shop_id)
        ]
    site = Site(app=world.app, settings=world.settings, scope=side.scope, slug="")
    return Desk(side=side, site=site, number=numbers[0], far_number=numbers[1])


def open_pages(world: World) -> Pages:
    """Let people of both tenants come to the pages of a world."""
    pages = Pages(world=world, home=_desk(world, world.home), other=_desk(world, world.other))
    pages.doors = list_pages(world.app)
    for role in identity.ROLES:
        pages.home.person(role)
    return pages


def list_pages(app: Flask) -> dict[str, Door]:
    """Return every page of the URL map with its door.

    But for those of a gift: nobody signs in for them, and ``tests/portals/gift`` has tests of who
    is let in.
    """
    return {
        f"{method} {rule.rule}": door
        for rule, method, door in edge.list_doors(app)
        if door.is_page and not is_of_gift(door)
    }


def is_of_gift(door: Door) -> bool:
    """Whether a door asks for what only the link of a gift gives."""
    return door.access.permissions == identity.RECIPIENT_PERMISSIONS


def roles_with(door: Door) -> list[str]:
    """Return the roles that hold every permission of a door, the widest first."""
    roles = {**identity.ROLES, **identity.OPERATOR_ROLES}
    return [role for role, held in roles.items() if held >= set(door.access.permissions)]


def ask(browser: Browser, app: Flask, call: Call, **headers: str) -> TestResponse:
    """Send a page's request as a browser would, with the token of its own pages."""
    sent = {"X-Request-Id": FIXED_ID, "Accept-Language": "en"} | headers
    address = call.address(app)
    if call.method == "GET":
        return browser.get(address, query_string=call.query, headers=sent)
    data = {
        name: (io.BytesIO(value), "shops.csv") if isinstance(value, bytes) else value
        for name, value in dict(call.data or {}).items()  # type: ignore[arg-type] # a form's
    }
    return browser.post(address, data, headers=sent)


def hear(browser: Browser) -> None:
    """Open a page if one has something to say that is said once."""
    if browser.http.get_cookie(NOTICE, domain="localhost") is not None:
        assert browser.get("/account").status_code == HTTPStatus.OK
        assert browser.http.get_cookie(NOTICE, domain="localhost") is None


def shown(answered: TestResponse, call: Call) -> tuple[int, list[str], list[str]]:
    """Return all that a person can see of an answer, but for what they sent themselves."""
    body = answered.get_data().decode(errors="replace")  # a workbook is no text
    text = _KEY.sub(r'\1""', _TOKEN.sub('""', body))
    sent = {**call.path, **call.query}
    if isinstance(call.data, dict):
        sent |= call.data
    for name, value in sent.items():
        if isinstance(value, bytes) or len(str(value)) < SENT_LENGTH_LEAST:
            continue
        for form in {str(value), html.escape(str(value)), quote(str(value))}:
            text = text.replace(form, f"({name})")
    return answered.status_code, text.splitlines(), sorted(answered.headers.keys())


def check_headers(answered: TestResponse, *, scans: bool) -> None:
    """Fail unless an answer carries exactly what keeps a page out of frames and strange hands."""
    headers = answered.headers
    wasm = " 'wasm-unsafe-eval'" if scans else ""
    assert headers.getlist("Content-Security-Policy") == [POLICY.format(wasm=wasm)]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers
    assert headers.get("X-Frame-Options", "DENY") == "DENY"
    if answered.mimetype == "text/html":
        assert headers["Cache-Control"] == "no-store"
