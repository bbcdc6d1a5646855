"""A tablet and whoever keeps the shop, as far as HTTP goes."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from werkzeug.test import TestResponse

from giftpad import tills
from giftpad.kernel.work import unit_of_work
from tests.make_pages import FIRST_SHOP, Browser, Site

AS_SCRIPT = {"HX-Request": "true"}
PIN = "4071"
_CODE = re.compile(r'class="gp-code gp-nowrap">([A-Z]{4}-[A-Z]{4})<')


def code_on(answer: TestResponse) -> str:
    """Return the code that a tablet shows."""
    found = _CODE.search(answer.text)
    assert found is not None, answer.text[:3000]
    return found[1]


def till_of(site: Site, shop: str = FIRST_SHOP) -> tills.TillView:
    """Return the tablets and clerks of a shop."""
    with unit_of_work(site.scope) as work:
        return tills.get_till(work, site.shop_id(shop))


def somewhere() -> dict[str, str]:
    """Return an address of its own: codes are counted by where they are asked for."""
    return {"REMOTE_ADDR": f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.7"}


@dataclass
class Counter:
    """A shop's tablet, and the phone of its owner."""

    site: Site
    tablet: Browser
    phone: Browser
    shop: str = FIRST_SHOP
    place: dict[str, str] = field(default_factory=somewhere)

    @property
    def shop_id(self) -> UUID:
        return self.site.shop_id(self.shop)

    @property
    def page(self) -> str:
        return f"/tablets/{self.shop_id}"

    def start(self) -> str:
        """Let the tablet show a code, and return it."""
        self.tablet.get("/shop/pair")
        asked = self.tablet.post("/shop/pair", environ_overrides=self.place)
        return code_on(self.tablet.follow(asked))

    def answer(self, code: str, word: str = "yes", **fields: str) -> TestResponse:
        """Say something of a code on the phone."""
        self.phone.get(f"/activate/tablet?user_code={code}")
        form = {"user_code": code, "answer": word, "name": "レジ2", "shop": str(self.shop_id)}
        return self.phone.post("/activate/tablet", form | fields)

    def pair(self) -> TestResponse:
        """Connect the tablet, and return the page it goes on to."""
        answered = self.answer(self.start())
        assert answered.status_code == 303, answered.text[:3000]
        taken = self.tablet.get("/shop/pair")
        assert taken.headers["Location"] == "/shop/till", taken.text[:3000]
        return self.tablet.follow(taken)

    def add(self, name: str = "青葉 花", pin: str = PIN, **fields: str) -> TestResponse:
        """Add a clerk on the phone."""
        self.phone.get(self.page)
        return self.phone.post(f"{self.page}/clerks", {"name": name, "pin": pin} | fields)

    def clerk(self, name: str = "青葉 花") -> tills.ClerkView:
        """Return a clerk of the shop."""
        return next(each for each in till_of(self.site, self.shop).clerks if each.name == name)

    def type_pin(self, pin: str, name: str = "青葉 花", browser: Browser | None = None):
        """Type a PIN on the tablet."""
        tablet = browser or self.tablet
        tablet.get("/shop/till")
        return tablet.post("/shop/till", {"clerk": str(self.clerk(name).id), "pin": pin})


def cookie_of(browser: Browser) -> str | None:
    """Return what a tablet keeps."""
    cookie = browser.http.get_cookie("gp_terminal")
    return cookie.value if cookie is not None else None


def copy_of(site: Site, browser: Browser) -> Browser:
    """Return another browser with the same cookies."""
    copy = site.nobody()
    copy.http._cookies, copy.csrf = dict(browser.http._cookies), browser.csrf
    return copy
