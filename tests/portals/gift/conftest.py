"""Gifts in the hands of people, and browsers on networks of their own to open them with."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from giftpad import catalog, gifts
from giftpad.kernel.work import unit_of_work
from tests.make_catalog import Shelf, make_shelf
from tests.make_gifts import CONTRACT, Company, pay_in, set_contract
from tests.make_pages import Browser, Site, hidden, make_site

_networks = itertools.count(1)
HEADER = (
    "code,name,name_en,kind,category,category_en,description,allergens,age_min,lead_days,"
    "excluded_prefectures,courses,stock,variant_code,variant_name"
)
ROWS = (
    "BEEF,見本牛 すき焼き用,Beef,goods,たべもの,Food,産地から,牛肉,,10,沖縄県,C5000,9,,",
    "SAKE,見本の純米酒,Sake,goods,たべもの,Food,,,20,7,,C5000,9,,",
    "TOWEL,見本タオル,Towel,goods,くらし,Home,,,,5,,C5000,9,TOWEL-A,藍",
    "TOWEL,,,,,,,,,,,,9,TOWEL-K,生成り",
    "TOWEL,,,,,,,,,,,,0,TOWEL-S,墨",
    "LAST,さいごのひとつ,The last one,goods,くらし,Home,,,,5,,C5000,1,,",
    "SPA,日帰り温泉,Hot spring,digital,体験,Trips,,,,0,,C5000,,,",
    "SEA,海をきれいに,Clean beaches,donation,寄付,Donations,,,,0,,C5000,,,",
)
ADDRESS = {
    "name": "見本 花子",
    "kana": "ミホン ハナコ",
    "postcode": "100-0001",
    "prefecture": "東京都",
    "city": "千代田区",
    "street": "千代田1-1",
    "building": "見本ビル 101",
    "phone": "090-0000-0000",
    "email": "",
    "time_slot": "evening",
    "wish": "玄関の前に置いてください",
}
"""An address as people type it."""


@dataclass(frozen=True)
class Sent:
    """A gift that was sent, as whoever got it has it."""

    id: UUID
    order_id: UUID
    link: str

    @property
    def path(self) -> str:
        """The address of its link, without scheme and host."""
        return self.link[self.link.index("/g/") :]

    @property
    def tail(self) -> str:
        """What opens it."""
        return self.path.removeprefix("/g/")


@dataclass
class Sender:
    """A company that sends gifts, on the web."""

    site: Site
    company: Company
    shelf: Shelf

    def send(self, count: int = 1, **more: Any) -> list[Sent]:
        """Send gifts, whose links the company hands over itself."""
        order_id = self.company.sent(count, **more)
        with unit_of_work(self.company.scope) as work:
            return [
                Sent(each.id, order_id, gifts.get_link(work, each.id))
                for each in self.company.gifts(order_id)
            ]

    def letter(self, gift: Sent) -> gifts.Letter:
        """Return how a gift stands."""
        with unit_of_work(self.company.scope) as work:
            return gifts.get_letter(work, gift.id)

    def path(self, code: str) -> str:
        """Return the address of a product's page."""
        return f"/g/products/{self.shelf.product(code).id}"

    def variant(self, code: str) -> str:
        """Return what a form sends for a variant, or for a product that has only one."""
        product = code.partition("-")[0]
        return str(self.shelf.variant(code, product).id)

    def take_the_last(self, code: str) -> None:
        """Let somebody else have all that is left of a product."""
        variant = self.shelf.variant(code)
        with unit_of_work(self.company.scope) as work:
            catalog.set_stock(work, variant.id, stock=0, daily_limit=None)

    def opened_at(self, gift: Sent) -> object:
        """Return when a gift counts as opened."""
        (found,) = [each for each in self.company.gifts(gift.order_id) if each.id == gift.id]
        return found.opened_at


@pytest.fixture
def sender(house, settings, tmp_path) -> Sender:
    """A company with a contract and a catalogue."""
    site = make_site(settings, tmp_path)
    set_contract(site.scope, CONTRACT)
    pay_in(site.scope, 10_000_000)
    shelf = make_shelf(site.scope)
    shelf.put(*ROWS, header=HEADER)
    with unit_of_work(site.scope) as work:
        catalog.add_codes(work, shelf.variant("SPA").id, ["SPA-0001-AAAA", "SPA-0002-BBBB"])
    company = Company(scope=site.scope, course_id=shelf.course_id)
    return Sender(site, company, shelf)


@pytest.fixture
def phone(sender) -> Callable[[], Browser]:
    """Make somebody's browser, on a network that nobody has used before."""

    def make_one(locale: str = "en") -> Browser:
        browser = sender.site.nobody()
        number = next(_networks)
        browser.http.environ_base["REMOTE_ADDR"] = f"203.0.{number // 250}.{number % 250 + 1}"
        browser.headers = browser.headers | {"Accept-Language": locale}
        return browser

    return make_one


@pytest.fixture
def gift(sender) -> Sent:
    """A gift that nobody has opened."""
    return sender.send()[0]


@pytest.fixture
def browser(phone, gift) -> Browser:
    """A browser that has the gift open."""
    opened = phone()
    open_gift(opened, gift)
    return opened


def open_gift(browser: Browser, gift: Sent) -> TestResponse:
    """Open the link of a gift and follow to the letter."""
    return browser.follow(browser.get(gift.path))


def choose(browser: Browser, sender: Sender, code: str) -> TestResponse:
    """Choose a product, or a kind of one, and return the page that comes next."""
    path = sender.path(code.partition("-")[0])
    browser.get(path)
    answer = browser.post(path, {"variant": sender.variant(code)})
    while answer.status_code == 303:
        answer = browser.follow(answer)
    return answer


def fill_in(browser: Browser, **changes: str) -> TestResponse:
    """Send an address and return the page that comes next."""
    answer = browser.post("/g/address", ADDRESS | changes)
    return browser.follow(answer) if answer.status_code == 303 else answer


def confirm(browser: Browser, **more: str) -> TestResponse:
    """Press the last button of the page seen last, and return its answer."""
    assert browser.last is not None
    return browser.post("/g/review", {"shown": shown(browser), "sure": "1"} | more)


def shown(browser: Browser) -> str:
    """Return what the page seen last says that it shows."""
    return hidden(browser.last.text, "shown")


def take(browser: Browser, sender: Sender, code: str = "BEEF", **changes: str) -> TestResponse:
    """Choose, type the address and send the request; return how the gift stands."""
    choose(browser, sender, code)
    fill_in(browser, **changes)
    return browser.follow(confirm(browser))
