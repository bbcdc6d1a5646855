"""A web process that serves machines and pages, while none lets anybody in."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from dataclasses import replace
from html import unescape
from urllib.parse import urlencode, urljoin

import pytest

from giftpad import local
from giftpad.kernel.config import read_settings
from giftpad.local.parts import child_environment, web_command
from giftpad.local.postgres import free_port
from giftpad.local.processes import members_of_session
from tests.flows.conftest import ROOT
from tests.flows.http import Caller
from tests.flows.tills import wait_for
from tests.flows.visitor import visitor_of

CLERK = "clerk@midori.example"
pytestmark = pytest.mark.long


def is_up(port):
    with contextlib.suppress(OSError):
        return Caller(port).call("GET", "/readyz")[0] == 200
    return False


@pytest.fixture
def beside(product):
    """The port of a second web server of the product, for machines and pages only."""
    known = local.embedded_settings(read_settings(product.environment))
    settings = replace(
        known,
        home=product.home.absolute(),
        port=free_port(),
        public_url=f"http://localhost:{product.port}",
        serve="api,portals",
    )
    with subprocess.Popen(
        web_command(settings, "wsgi:app"),
        cwd=ROOT,
        env=child_environment(settings),
        start_new_session=True,
    ) as process:
        try:
            wait_for(lambda: is_up(settings.port))
            yield settings.port
        finally:
            process.terminate()


@contextlib.contextmanager
def nobody_lets_in(product):
    """Hold the product's own web server still, which is the one that signs people in."""
    pids = members_of_session(product.pids()["web"])
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: is_up(product.port))


def pay_on_the_page(visitor, port, code, amount):
    """Do what a clerk does with a coupon, and return the last page."""
    shop = f"http://localhost:{port}/shop"
    status, _, page = visitor.ask(shop)
    assert status == 200, page[:500]
    status, headers, text = visitor.fill_in(shop, page, "/shop/read", code=code)
    assert status == 303, text[:500]
    address = urljoin(shop, headers["Location"])
    _, _, pad = visitor.ask(f"{address}?amount={amount}")
    csrf = unescape(re.search(r'name="csrf" value="([^"]*)"', pad)[1])
    form = {"csrf": csrf, "amount": str(amount), "confirm": "1"}
    status, headers, text = visitor.ask(address, urlencode(form).encode())
    assert status == 303, text[:500]
    return visitor.ask(urljoin(shop, headers["Location"]))[2]


def test_shops_that_are_signed_in_pay_on_while_nobody_can_sign_in(product, beside):
    inside, _ = product.shops()
    till = product.caller("payments:accept", "payments:read", shop_id=inside)
    code, other = product.codes(product.batch(8))[:2]
    clerk, late = visitor_of(product, CLERK), visitor_of(product)
    clerk.sign_in()
    with nobody_lets_in(product):
        here = Caller(beside, till.token)
        order = {"instrument": {"kind": "coupon", "code": code}, "amount_minor": 300}
        paid = here.ask("POST", "/api/v1/payments", order, key=True, wanted=201)
        assert paid["balance_minor"] == 700
        assert 'data-kind="accepted"' in pay_on_the_page(clerk, beside, other, 400)
        looked = {"instrument": {"kind": "coupon", "code": other}}
        left = here.ask("POST", "/api/v1/instruments/lookup", looked, wanted=200)
        assert left["balance_minor"] == 600
        for path in ("oauth/token", "authorize", ".well-known/jwks.json", "sign-in"):
            data = b"x=1" if path == "oauth/token" else None
            status, headers, page = late.ask(f"http://localhost:{beside}/{path}", data)
            assert (status, headers["Retry-After"]) == (503, "60"), (path, page[:500])
