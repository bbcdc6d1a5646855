"""A tablet is connected by a phone, a clerk types a PIN on it and is paid, and it is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.scenes import SHOP_OWNER
from tests.browser.tablets import (
    CLERK_NAME,
    TABLET,
    add_clerk,
    answer,
    read_qr,
    show_code,
    type_pin,
)
from tests.browser.visitor import PHONE

pytestmark = pytest.mark.long
TABLET_NAME = "レジ8"


def test_a_tablet_is_connected_opened_by_a_pin_paid_with_and_lost(visitor, scenes):
    _ask_for_no_pin(visitor, scenes)
    tablet = visitor(size=TABLET)
    shown = show_code(tablet)
    code = shown.locator(".gp-code").inner_text()
    address = read_qr(shown)
    assert address == f"{scenes.address}/activate/tablet?user_code={code}"

    phone = visitor(size=PHONE)
    page = phone.open(address.removeprefix(phone.address))
    page.wait_for_url(lambda url: "/sign-in?next=" in url)
    page.fill("#email", SHOP_OWNER)
    page.fill("#password", phone.password())
    page.press("#password", "Enter")
    page.wait_for_url(lambda url: "/activate/tablet?user_code=" in url)
    expect(page.locator(".gp-code")).to_have_text(code)
    answer(phone, address, name=TABLET_NAME)
    shown.wait_for_url(lambda url: "/shop/pair" not in url)  # it goes on by itself
    tablet.open_until("/shop", lambda url: url.endswith("/shop"))
    expect(shown.locator("[data-screen=scan]")).to_contain_text(TABLET_NAME)

    add_clerk(page)
    _set_asking(page, asks=True)  # where an owner has said no, a new clerk does not change it
    tablet.open_until("/shop", lambda url: url.endswith("/shop/till"))
    type_pin(shown, "5900")
    expect(shown.locator(".gp-summary")).to_contain_text("あと 4回")
    type_pin(shown)
    shown.wait_for_url("**/shop")
    expect(shown.locator("[data-screen=scan]")).to_contain_text(CLERK_NAME)
    _pay(shown, scenes.codes["spare"], "120")

    tablet.open("/shop")
    with shown.expect_navigation():
        shown.locator("form[action='/shop/lock'] button").click()
    expect(shown.locator("#pin")).to_be_visible()

    phone.open(f"/tablets/{scenes.shop}")
    row = page.locator("li", has_text=TABLET_NAME).first
    with page.expect_navigation():
        row.locator("form[action$='/end'] button").click()
    tablet.open_until("/shop", lambda url: url.endswith("/shop/pair"))


def _ask_for_no_pin(visitor, scenes):
    """Let the tablets open at once, whomever other tests have given a PIN."""
    owner = visitor(size=PHONE, storage_state=scenes.signed_in(SHOP_OWNER))
    page = owner.open(f"/tablets/{scenes.shop}")
    while (buttons := page.locator("form[action$='/remove'] button")).count():
        with page.expect_navigation():
            buttons.first.click()
    _set_asking(page, asks=False)


def _set_asking(page, *, asks):
    button = page.locator(f"form[action$='/ask'] button[value='{int(asks)}']")
    if button.count():
        with page.expect_navigation():
            button.click()


def _pay(page, code, amount):
    page.fill("#code", code)
    page.press("#code", "Enter")
    page.wait_for_selector("[data-screen=pad]")
    page.fill("#amount", amount)
    page.press("#amount", "Enter")
    page.wait_for_selector("[data-screen=confirm]")
    page.locator("form[data-pay] button").first.click()
    page.wait_for_selector("[data-screen=accepted]")
