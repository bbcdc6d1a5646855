"""What a clerk does at the till, as far as HTTP goes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from giftpad import ledger, payments
from giftpad.kernel.work import unit_of_work
from tests.make_pages import Browser, Site

AS_SCRIPT = {"HX-Request": "true"}
_CODE = re.compile(r'data-code="([^"]+)"')


@dataclass
class Till:
    """A shop's till: a browser, and coupons as (QR text, typed code)."""

    site: Site
    clerk: Browser
    coupons: list[tuple[str, str]]

    def read(self, code: str, browser: Browser | None = None) -> str:
        """Read a code and return the address of the pad."""
        answer = self.send(code, browser)
        assert answer.status_code == 303, answer.text[:3000]
        address: str = answer.headers["Location"]
        assert address.startswith("/shop/pay/")
        return address

    def send(self, code: str, browser: Browser | None = None) -> TestResponse:
        """Read a code and return whatever comes."""
        browser = browser or self.clerk
        browser.get("/shop")
        return browser.post("/shop/read", {"code": code})

    def pay(
        self, address: str, amount: int, browser: Browser | None = None, **fields: Any
    ) -> TestResponse:
        """Press the last button, as a script does."""
        browser = browser or self.clerk
        form = {"amount": str(amount), "confirm": "1"} | fields
        return browser.post(address, form, headers=AS_SCRIPT)

    def payments(self) -> list[payments.PaymentView]:
        """Return every payment of the town."""
        with unit_of_work(self.site.scope) as work:
            return payments.list_payments(work, payments.PaymentFilter())

    def balance(self, coupon: int = 0) -> int:
        """Return what a coupon holds, by the ledger."""
        scope, (qr, _) = self.site.scope, self.coupons[coupon]
        found = payments.find_instrument(scope, qr, guess_key="test")
        with unit_of_work(scope) as work:
            return ledger.get_balance(work, found.account_id)


def outcome(answer: TestResponse) -> str | None:
    """Return what an answer says of a payment to a script."""
    return answer.headers.get("X-Giftpad-Outcome")


def code_of(answer: TestResponse) -> str:
    """Return which refusal a screen shows."""
    found = _CODE.search(answer.text)
    assert found is not None, answer.text[:3000]
    return found[1]
