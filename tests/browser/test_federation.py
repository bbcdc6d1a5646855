"""An account of one's organisation, in a real browser: linked once, and then the way in."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.scenes import TOWN, VIEWER
from tests.make_idp import CLIENT_ID, Idp


@pytest.mark.long
def test_somebody_links_an_account_and_comes_in_by_it(product, visitor):
    idp = Idp()
    words = ("--tenant", TOWN, "--name", "City account", "--issuer", idp.address)
    done = product.must("connection", "create", *words, "--client-id", CLIENT_ID, "--json")
    viewer = visitor(locale="en")
    viewer.sign_in(VIEWER)
    page = viewer.open("/account")
    page.locator("#links ~ ul li", has_text="City account").get_by_role("link").click()
    page.fill("#present", viewer.password())
    page.get_by_role("button", name="Link", exact=True).click()
    page.wait_for_url("**/account")
    expect(page.get_by_text("The account is linked.")).to_be_visible()

    another = visitor(locale="en")
    page = another.open(f"/sign-in?org={TOWN}&next=/desk/payments")
    page.get_by_role("button", name="City account").click()
    page.wait_for_url("**/desk/payments")

    page = viewer.open("/account")
    page.locator("#links ~ ul li", has_text="City account").get_by_role("link").click()
    page.fill("#present", viewer.password())
    page.get_by_role("button", name="Remove the link").click()
    page.wait_for_url("**/account")
    another.open_until("/desk", lambda url: "/sign-in" in url)
    product.must("connection", "disable", "--tenant", TOWN, json.loads(done)["id"])
    idp.close()
