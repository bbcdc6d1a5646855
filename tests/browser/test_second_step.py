"""Second steps in a real browser: a passkey of a virtual device, a code, a forgotten password."""

from __future__ import annotations

import json
import re
import time
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.scenes import make_keeper

NEW = "several new words in a row"
WITHIN_S = 60
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_device(visitor):
    """Give a window a device that keeps passkeys and knows its person; return how to ask it."""
    asked = visitor.context.new_cdp_session(visitor.page)
    asked.send("WebAuthn.enable")
    device = asked.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return asked, device["authenticatorId"]


def first_step(visitor, email, password):
    page = visitor.open("/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    page.press("#password", "Enter")
    return page


def find_code(product, email):
    """Return the newest code that came by mail, from the page of what arrived."""
    said = product.must("status", "--json")
    address = re.search(r"http://127\.0\.0\.1:\d+(?=[^\d/])", said[said.index("messages") :])
    assert address is not None, said
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        with urlopen(f"{address[0]}/messages.json?to={email}") as answer:  # noqa: S310 - our own
            text = json.dumps(json.load(answer))
        found = re.search(r"#([0-9A-Z]{8})\b", text)
        if found is not None:
            return found[1]
        time.sleep(0.2)
    message = "no mail came"
    raise AssertionError(message)


@pytest.mark.long
def test_an_owner_makes_a_passkey_and_then_types_nothing(product, visitor):
    email = "passkey-owner@midori.example"
    password = make_keeper(product, email)
    somebody = visitor(locale="en")
    asked, device = with_device(somebody)
    page = first_step(somebody, email, password)
    page.wait_for_url("**/sign-in/set-up")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    code = page.locator(".gp-codes code").first.inner_text()
    page.get_by_role("button", name="I have kept them").click()
    page.wait_for_url("**/desk")

    page = somebody.open("/account")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url("**/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/desk")

    page = somebody.open("/account/prove?next=/account/second-step")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/account/second-step")
    expect(page.get_by_text("10 codes of your sheet are left.")).to_be_visible()

    asked.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page = somebody.open("/account/prove?next=/desk/shops")
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_text("The passkey was not used.")).to_be_visible()
    assert "/account/prove" in page.url

    another = visitor(locale="en")
    page = first_step(another, email, password)
    page.wait_for_url("**/sign-in/second")
    page.fill("#code", code.lower())
    page.press("#code", "Enter")
    page.wait_for_url("**/desk")


@pytest.mark.long
def test_a_forgotten_password_is_replaced_by_the_code_of_a_mail(product, visitor):
    email = "forgetful@midori.example"
    make_keeper(product, email, role="viewer")
    somebody = visitor(locale="en")
    page = somebody.open("/sign-in")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.fill("#email", email)
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_url("**/forgotten/code")
    page.fill("#code", find_code(product, email))
    page.fill("#password", NEW)
    page.fill("#again", NEW)
    page.get_by_role("button", name="Change the password").click()
    page.wait_for_url("**/sign-in")
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    first_step(somebody, email, NEW).wait_for_url("**/desk")
