"""A shop's tablet and its owner's phone, each in a browser of its own."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image
from playwright.sync_api import Page

from tests.browser.scenes import SHOP_OWNER, Scenes
from tests.browser.visitor import PHONE, Visitor, visit

TABLET = {"width": 1024, "height": 768}
CLERK_NAME, PIN = "見本 桜", "4071"
TABLETS_KEPT = 8


def show_code(visitor: Visitor) -> Page:
    """Let a tablet show its code."""
    page = visitor.open("/shop/pair")
    page.locator("main form[action='/shop/pair'] button").click()
    page.wait_for_selector(".gp-code")
    return page


def read_qr(page: Page) -> str:
    """Read the QR on a screen as another device sees it: from the picture."""
    picture = Image.open(io.BytesIO(page.locator("main svg[role=img]").screenshot()))
    (code,) = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
    return code.text


def answer(phone: Visitor, address: str, word: str = "yes", name: str = "レジ2") -> Page:
    """Open what the QR says on the owner's phone, and say something of it."""
    assert address.startswith(phone.address), address
    page = phone.open(address.removeprefix(phone.address))
    page.fill("[name=name]", name)
    with page.expect_navigation():
        page.locator(f"button[name=answer][value={word}]").click()
    return page


def pair(visitor: Visitor, scenes: Scenes, *, word: str = "yes") -> None:
    """Connect a visitor's browser to the shop, by a phone of its own, or have it told no."""
    page = show_code(visitor)
    address = read_qr(page)
    state = scenes.signed_in(SHOP_OWNER)
    with visit(
        scenes.browser, scenes.address, scenes.product.home, size=PHONE, storage_state=state
    ) as phone:
        answer(phone, address, word)
        if word == "yes":
            phone.open(f"/tablets/{scenes.shop}")
            if phone.page.get_by_text(CLERK_NAME).count() == 0:
                add_clerk(phone.page)
            _shut_out_the_oldest(phone.page)
            _unlock(phone.page)


def _shut_out_the_oldest(page: Page) -> None:
    """Leave room for the next one: a shop has so many tablets and no more."""
    buttons = page.locator("form[action$='/end'] button")
    if buttons.count() > TABLETS_KEPT:
        with page.expect_navigation():
            buttons.last.click()


def _unlock(page: Page) -> None:
    """Let the clerk try again whom others have tried PINs of."""
    button = page.locator("form[action$='/unlock'] button")
    if button.count():
        with page.expect_navigation():
            button.first.click()


def add_clerk(page: Page, name: str = CLERK_NAME, pin: str = PIN) -> None:
    """Give somebody without an account a PIN, on the page of tablets and clerks."""
    form = page.locator("form[action$='/clerks']")
    form.locator("[name=name]").fill(name)
    form.locator("[name=pin]").fill(pin)
    with page.expect_navigation():
        form.locator("button[type=submit], button").last.click()


def type_pin(page: Page, pin: str = PIN, name: str = CLERK_NAME) -> None:
    """Choose a name and type a PIN on the tablet."""
    page.get_by_label(name).check()
    page.fill("#pin", pin)
    with page.expect_navigation():
        page.press("#pin", "Enter")
