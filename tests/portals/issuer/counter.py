"""A desk with coupons in people's hands: what the tests of its pages begin with."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.test import TestResponse

from giftpad import coupons, payments
from giftpad.kernel.work import unit_of_work
from tests import make, make_coupons, pump
from tests.make_pages import Browser, Site

_TAG = re.compile(r"<[^>]+>")
_INLINE = re.compile(r"</?(span|strong|small|wbr|del|ins)\b[^>]*>")
_SCRIPTS = re.compile(r"<(script|style|template)\b.*?</\1>", re.DOTALL)


def words(answer: TestResponse) -> str:
    """Return what a page says, without its markup, with single blanks."""
    text = _TAG.sub(" ", _INLINE.sub("", _SCRIPTS.sub(" ", answer.text)))
    return " ".join(html.unescape(text).split())


@dataclass
class Counter:
    """A town, its coupons by serial, and the people at its desk."""

    site: Site
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def person(self, role: str) -> Browser:
        """Return the browser of somebody at the desk, reading English."""
        browser = self.site.person(role)
        browser.headers["Accept-Language"] = "en"
        return browser

    def coupons(self, quantity: int = 3) -> list[str]:
        """Make coupons and return their serials; QR text and typed code are kept beside."""
        paper = self.site.paper(quantity)
        found = self._newest()
        self.codes |= dict(zip(found, paper, strict=True))
        return found

    def ordered(self, quantity: int = 3) -> list[str]:
        """Make coupons that are not released, and return their serials."""
        make_coupons.order(self.site.town(), quantity)
        self.work_off()
        return self._newest()

    def _newest(self) -> list[str]:
        with unit_of_work(self.site.scope) as work:
            (batch,) = coupons.list_batches(work, limit=1)
            return [line.serial for line in coupons.list_manifest(work, batch.id)]

    def pay(self, serial: str, amount_minor: int) -> payments.Paid:
        """Pay with a coupon in the first shop."""
        town = self.site.town()
        order = make.pay_order(town, amount_minor, code=self.codes[serial][0])
        return payments.pay(self.site.scope, order)

    def coupon(self, serial: str) -> coupons.CouponView:
        """Return a coupon as it stands now."""
        with unit_of_work(self.site.scope) as work:
            return coupons.get_coupon(work, serial)

    def work_off(self) -> None:
        """Let all that was ordered be done."""
        pump.pump(self.site.settings)


def send(browser: Browser, path: str, data: dict[str, Any] | None = None) -> TestResponse:
    """Open a page with a form and send the form with the key it was drawn with."""
    assert browser.get(path).status_code == 200, browser.last.text[:2000]  # type: ignore[union-attr]
    return browser.post(path, {"key": browser.key()} | (data or {}))
