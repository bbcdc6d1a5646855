"""Builders for pages: a town on the web, and browsers of its people, as far as HTTP goes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from giftpad import edge, identity, programmes, shops, tenancy
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from tests import make, make_coupons, make_packs
from tests.make_factors import PASSWORD, step_on
from tests.make_identity import shared_app
from tests.make_sessions import TWO_STEPS

HOST = "localhost:8000"
FIRST_SHOP = "1001"
FAR_SHOP = "9001"
_INPUT = re.compile(r"<input\b[^>]*>")
_ATTRIBUTE = re.compile(r'([a-zA-Z-]+)="([^"]*)"')


def inputs(text: str) -> list[dict[str, str]]:
    """Return the attributes of every input element of a page."""
    found = (dict(_ATTRIBUTE.findall(tag)) for tag in _INPUT.findall(text))
    return [{name: html.unescape(value) for name, value in each.items()} for each in found]


def hidden(text: str, name: str) -> str:
    """Return the value of the first hidden field called so."""
    for each in inputs(text):
        if each.get("name") == name and each.get("type") == "hidden":
            return each["value"]
    message = f"no hidden field {name} in the page"
    raise AssertionError(message)


@dataclass
class Browser:
    """Somebody's browser: it keeps cookies and sends the token of the page it saw last."""

    http: FlaskClient
    csrf: str = ""
    last: TestResponse | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": "text/html"})

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open an address without following it further."""
        headers = self.headers | options.pop("headers", {})
        answer = self.http.get(path, headers=headers, base_url=f"http://{HOST}", **options)
        return self._seen(answer)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form as the page seen last would, with its token unless ``csrf`` says another."""
        headers = self.headers | {"Origin": f"http://{HOST}"} | options.pop("headers", {})
        fields = {"csrf": options.pop("csrf", self.csrf)} | (data or {})
        answer = self.http.post(
            path, data=fields, headers=headers, base_url=f"http://{HOST}", **options
        )
        return self._seen(answer)

    def follow(self, answer: TestResponse) -> TestResponse:
        """Go where an answer sends the browser."""
        assert answer.status_code == 303, (answer.status_code, answer.text[:2000])
        return self.get(answer.headers["Location"])

    def key(self) -> str:
        """Return the idempotency key of the form on the page seen last."""
        assert self.last is not None
        return hidden(self.last.text, "key")

    def _seen(self, answer: TestResponse) -> TestResponse:
        answer.request.environ["wsgi.input"].close()  # a large body lies in a file of its own
        if answer.mimetype == "text/html":
            self.last = answer
            found = [i["value"] for i in inputs(answer.text) if i.get("name") == "csrf"]
            self.csrf = found[0] if found else self.csrf
        return answer


@dataclass
class Site:
    """A town with its pack, its web site, and whoever is asked for."""

    app: Flask
    settings: Settings
    scope: Scope
    slug: str
    browsers: dict[tuple[str, str], Browser] = field(default_factory=dict)

    def nobody(self) -> Browser:
        """Return a browser that has never been here."""
        return Browser(self.app.test_client())

    def person(self, role: str, *, shop: str = FIRST_SHOP, name: str = "見本 太郎") -> Browser:
        """Return the browser of somebody with this role, signed in; each role once."""
        key = (role, shop if role in identity.SHOP_ROLES else "")
        if key not in self.browsers:
            _, person_id = self._make_person(role, shop, name)
            self.browsers[key] = self._signed_in(person_id)
        return self.browsers[key]

    def new_person(self, role: str, *, shop: str = FIRST_SHOP, name: str = "見本 太郎") -> str:
        """Give somebody new a role and return the address they sign in with."""
        email, _ = self._make_person(role, shop, name)
        return email

    def _make_person(self, role: str, shop: str, name: str) -> tuple[str, UUID]:
        email = f"{role}-{new_id().hex[-10:]}@example.jp"
        shop_id = self.shop_id(shop) if role in identity.SHOP_ROLES else None
        of_platform = role in identity.OPERATOR_ROLES
        made = identity.create_person(
            Scope(tenant_id=tenancy.PLATFORM_TENANT_ID) if of_platform else self.scope,
            identity.NewPerson(
                email=email, name=name, role=role, password=PASSWORD, shop_id=shop_id
            ),
        )
        return email, made.person_id

    def _signed_in(self, person_id: UUID) -> Browser:
        """Return a browser with a session that nobody had to type a password for."""
        (role,) = identity.list_memberships(person_id)
        opened = identity.open_session(person_id, role.tenant_id, role.id, methods=TWO_STEPS)
        return self.with_session(opened)

    def with_session(self, opened: identity.OpenedSession) -> Browser:
        """Return a browser that keeps a session."""
        with self.app.test_request_context(base_url=f"http://{HOST}"):
            response = Response()
            edge.start_session(response, opened)
        browser = self.nobody()
        held = [each.partition(";")[0] for each in response.headers.getlist("Set-Cookie")]
        for each in held:
            name, _, value = each.partition("=")
            browser.http.set_cookie(name, value, domain="localhost")
        cookies = {"Cookie": "; ".join(held)}
        with self.app.test_request_context("/account", base_url=f"http://{HOST}", headers=cookies):
            assert self.app.preprocess_request() is None  # they are let in
            browser.csrf = edge.csrf_token()  # as the page would give it for the next form
        return browser

    def sign_in(self, email: str, password: str = PASSWORD) -> Browser:
        """Sign in as people do."""
        browser = self.nobody()
        browser.get("/sign-in")
        answer = browser.post("/sign-in", {"email": email, "password": password})
        answer = step_on(browser, answer, email)
        assert answer.status_code == 303, answer.text[:3000]
        browser.follow(answer)
        return browser

    def shop_id(self, number: str = FIRST_SHOP) -> UUID:
        """Return the id of a shop of the pack."""
        with unit_of_work(self.scope) as work:
            found = shops.find_shop_id(work, number)
        assert found is not None
        return found

    def town(self) -> make.Town:
        """Return the town as the builders of coupons know it."""
        with unit_of_work(self.scope) as work:
            programme = programmes.find_programme_by_slug(work, "kurashi")
        assert programme is not None
        nowhere = new_id()
        return make.Town(
            scope=self.scope,
            tag=tenancy.get_tenant(self.scope.tenant_id).tag,
            programme_id=programme.id,
            funding_id=nowhere,
            breakage_id=nowhere,
            shop_id=self.shop_id(FIRST_SHOP),
            outside_shop_id=self.shop_id(FAR_SHOP),
            stranger_shop_id=nowhere,
            ends_at=make_coupons.datetime.now(make_coupons.UTC),
        )

    def paper(self, quantity: int = 3, *, release: bool = True) -> list[tuple[str, str]]:
        """Print coupons and return QR text and typed code of each, read from the pages."""
        town = self.town()
        if release:
            batch_id = make_coupons.released(town, self.settings, quantity)
        else:
            batch_id = make_coupons.order(town, quantity)
            make_coupons.pump(self.settings)
        return make_coupons.read_paper(make_coupons.take_pdf(town, batch_id))


def make_site(
    settings: Settings,
    folder: Path,
    *,
    slug: str = "midori-city",
    without: tuple[str, ...] = (),
    build: Callable[[Settings], Flask] = build_app,
) -> Site:
    """Put a town with a pack of the house, less some files, on the web under a slug of its own."""
    make.make_platform()
    identity.bind_issuer(settings.issuer)
    scope = make_packs.apply_town(folder, slug=slug, without=without)
    tenant = tenancy.get_tenant(scope.tenant_id)
    scope = Scope(tenant_id=scope.tenant_id, actor=make.TILL)
    return Site(app=shared_app(build, settings), settings=settings, scope=scope, slug=tenant.slug)
