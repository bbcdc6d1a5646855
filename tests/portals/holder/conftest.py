"""Coupons in the hands of people, and browsers on networks of their own to look at them with."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from giftpad import payments
from giftpad.kernel import codes
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.make_pages import Browser, Site

_networks = itertools.count(1)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{60,}={0,2}")


@dataclass(frozen=True)
class Paper:
    """A coupon as it lies in somebody's hand."""

    qr: str
    typed: str

    @property
    def tail(self) -> str:
        """What stands behind ``/Q/`` in the address of its QR."""
        return self.qr.rpartition("/Q/")[2]

    @property
    def path(self) -> str:
        """The address that a camera opens, without scheme and host."""
        return "/Q/" + self.tail

    @property
    def locator(self) -> int:
        """The number its QR is about."""
        parsed = codes.parse_qr(self.qr)
        assert parsed is not None
        return parsed.locator

    def traces(self) -> list[str]:
        """Everything that would tell its code, or a part of it that opens something."""
        return [self.tail, self.tail[13:], self.typed, self.typed.replace("-", "")]


@dataclass
class Town:
    """A town with coupons in people's hands."""

    site: Site

    def papers(self, quantity: int, *, release: bool = True) -> list[Paper]:
        """Print coupons and hand them out."""
        return [Paper(qr, typed) for qr, typed in self.site.paper(quantity, release=release)]

    def pay(self, paper: Paper, amount_minor: int, shop: str = "1001") -> payments.Paid:
        """Pay with a coupon in a shop."""
        order = make.pay_order(
            self.site.town(), amount_minor, code=paper.qr, shop_id=self.site.shop_id(shop)
        )
        return payments.pay(self.site.scope, order)

    def give_back(self, paid: payments.Paid, amount_minor: int) -> None:
        """Give a part of a payment back."""
        with unit_of_work(self.site.scope) as work:
            payments.refund(work, paid.id, amount_minor, reason="")

    def stop(self, paper: Paper) -> None:
        """Stop a coupon."""
        with unit_of_work(self.site.scope) as work:
            payments.block_instruments(work, paper.locator, paper.locator)

    def replace(self, paper: Paper) -> None:
        """Give a new paper out for an old one."""
        with unit_of_work(self.site.scope) as work:
            old = payments.get_instrument(work, paper.locator)
            new = payments.Alias(
                locator=payments.take_locators(work, 1),
                code_hash=b"h" * 16,
                terms_id=old.terms_id,
            )
            payments.replace_instrument(work, paper.locator, new)


@pytest.fixture
def town(site) -> Town:
    """A town with coupons in people's hands."""
    return Town(site)


@pytest.fixture
def phone(site) -> Callable[[], Browser]:
    """Make somebody's browser, on a network that nobody has used before."""

    def make_one() -> Browser:
        browser = site.nobody()
        number = next(_networks)
        browser.http.environ_base["REMOTE_ADDR"] = f"198.51.{number // 250}.{number % 250 + 1}"
        return browser

    return make_one


def without_tokens(answer: TestResponse) -> bytes:
    """Return a page but for the tokens of its forms, which are new each time."""
    return _TOKEN.sub("TOKEN", answer.text).encode()


def open_paper(browser: Browser, paper: Paper) -> TestResponse:
    """Read a QR with a phone's camera and follow to the page it leads to."""
    return browser.follow(browser.get(paper.path))
