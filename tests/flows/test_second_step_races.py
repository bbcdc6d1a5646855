"""One recovery code, from fifty browsers at one moment, before two server processes."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from giftpad.kernel.config import read_settings
from tests.flows.visitor import OWNER, Visitor, visitor_of

AT_ONCE = 50
REFUSED = (422, 429, 503)
SECOND = "/sign-in/second"


def between_the_steps(product, password: str) -> tuple[Visitor, str]:
    """Return a browser that has given the password, and the page that asks for the second step."""
    visitor = visitor_of(product)
    address = visitor.issuer + "sign-in"
    _, _, page = visitor.ask(address)
    status, headers, text = visitor.fill_in(
        address, page, "/sign-in", email=OWNER, password=password
    )
    assert (status, headers["Location"]) == (303, SECOND), text[:500]
    return visitor, visitor.ask(visitor.issuer + SECOND[1:])[2]


@pytest.mark.long
def test_of_fifty_uses_of_one_recovery_code_one_gets_in(product):
    assert read_settings(product.environment).web_workers >= 2
    kept = json.loads((product.home / "demo.json").read_text())
    (person,) = [each for each in kept["people"] if each["email"] == OWNER]
    waiting = [between_the_steps(product, kept["password"]) for _ in range(AT_ONCE)]
    start = threading.Barrier(AT_ONCE)

    def use(pair):
        visitor, page = pair
        start.wait()
        code = person["recovery_codes"][0]
        status, headers, _ = visitor.fill_in(visitor.issuer, page, SECOND, code=code)
        return status, headers["Location"]

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        answers = list(crowd.map(use, waiting))
    won = [where for status, where in answers if status == 303]
    lost = [status for status, _ in answers if status in REFUSED]
    assert (len(won), len(lost)) == (1, AT_ONCE - 1), answers
    assert won[0].endswith(("/desk", "/sign-in/choose"))
