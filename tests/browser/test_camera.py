"""The camera of the shop app sees printed coupons: rendered print files, filmed in a hand."""

from __future__ import annotations

import re

import pytest
import zxingcpp
from playwright.sync_api import expect

from tests.browser.film import (
    ALL_AT_ONCE,
    BLURRED,
    DIM,
    STEADY,
    TILTED,
    picture_code,
    picture_coupon,
)
from tests.browser.scenes import CLERK, FOREIGN
from tests.browser.till import PATIENCE_MS, list_loaded, open_phone, open_shop, watch_readings
from tests.browser.visitor import PHONE, visit
from tests.make_coupons import read_paper

pytestmark = pytest.mark.slow

HANDS = {
    "steady": STEADY,
    "tilted": TILTED,
    "blurred": BLURRED,
    "dim": DIM,
    "all at once": ALL_AT_ONCE,
}
ALWAYS = ("steady", "all at once")
"""Pictures that every run of the tests takes."""
FACE_VALUE = 1000


@pytest.fixture(scope="module")
def print_file(product):
    """The print file of coupons that may be spent."""
    batch = product.batch(8, face_value_minor=FACE_VALUE)
    status, pdf = product.caller().call("GET", f"/api/v1/coupon-batches/{batch['id']}/pdf?volume=1")
    assert status == 200
    return bytes(pdf)


@pytest.fixture(scope="module")
def phone(playwright, tmp_path_factory):
    """A browser with a camera, and what stands before it."""
    with open_phone(playwright, tmp_path_factory.mktemp("camera")) as (browser, lens):
        yield browser, lens


@pytest.fixture(scope="module")
def memory(phone, product):
    """What the clerk's browser remembers after the sign-in."""
    browser, _ = phone
    with visit(browser, address_of(product), product.home, size=PHONE) as clerk:
        clerk.sign_in(CLERK)
        return clerk.context.storage_state()


@pytest.fixture
def clerk(phone, memory, product):
    """A clerk at the first screen, with the camera still shut."""
    browser, _ = phone
    with visit(
        browser, address_of(product), product.home, size=PHONE, storage_state=memory
    ) as seen:
        seen.context.set_default_timeout(PATIENCE_MS)
        seen.open("/shop")
        yield seen
        seen.check()


def address_of(product):
    return product.address.replace("127.0.0.1", "localhost")


def pay(product, code, amount_minor):
    """Make a coupon's balance its own, so that the pad tells which one was read."""
    shop_id, _ = product.shops()
    order = {
        "instrument": {"kind": "coupon", "code": code},
        "amount_minor": amount_minor,
        "shop_id": shop_id,
    }
    product.caller().ask("POST", "/api/v1/payments", order, key=True, wanted=201)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=name, marks=() if name in ALWAYS else (pytest.mark.long,))
        for number, name in enumerate(HANDS)
    ],
)
def test_a_printed_coupon_is_read_from_the_picture(product, print_file, phone, clerk, number):
    hand = list(HANDS.values())[number]
    paper = picture_coupon(print_file, number)
    (code,) = zxingcpp.read_barcodes(paper, formats=zxingcpp.BarcodeFormat.QRCode)
    pay(product, code.text, 101 + number)
    phone[1].see(paper, hand)
    page = clerk.page
    assert not page.evaluate("'BarcodeDetector' in window"), (
        "this Chromium has a decoder of its own"
    )
    open_shop(page)
    pad = page.locator("[data-screen=pad] form[data-pad]")
    expect(pad).to_have_attribute("data-left", str(FACE_VALUE - 101 - number), timeout=PATIENCE_MS)
    expect(page.locator("[data-screen=pad] #amount")).to_be_visible()
    assert page.url.startswith(f"{clerk.address}/shop/pay/")
    (wasm,) = [name for name in list_loaded(page) if ".wasm" in name]
    assert re.fullmatch(re.escape(clerk.address) + r"/assets/zxing_reader-[\w-]+\.wasm", wasm)


def test_a_foreign_qr_is_told_as_such_and_sent_nowhere(phone, clerk):
    phone[1].see(picture_code(FOREIGN))
    page = clerk.page
    sent = watch_readings(page)
    foreign = page.evaluate("document.getElementById('m-foreign').content.textContent.trim()")
    open_shop(page)
    expect(page.locator("[data-say]")).to_have_text(foreign, timeout=PATIENCE_MS)
    expect(page.locator("[data-screen=scan]")).to_be_visible()
    assert sent == []


# Phones that promise a detector of their own, and refuse every frame.
REFUSING_DETECTOR = """window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect() { window.refused = (window.refused ?? 0) + 1; throw new Error("no service"); }
}"""
BROKEN_WORKER = """window.Worker = class extends EventTarget {
  constructor() {
    super();
    setTimeout(() => this.dispatchEvent(new ErrorEvent("error", { message: "did not load" })));
  }
  postMessage() {}
  terminate() {}
}"""


def test_a_detector_of_the_browser_that_refuses_gives_way_to_ours(
    product, print_file, phone, clerk
):
    paper = picture_coupon(print_file, 6)
    (code,) = zxingcpp.read_barcodes(paper, formats=zxingcpp.BarcodeFormat.QRCode)
    pay(product, code.text, 107)
    phone[1].see(paper, STEADY)
    page = clerk.page
    page.add_init_script(REFUSING_DETECTOR)
    clerk.open("/shop")
    open_shop(page)
    pad = page.locator("[data-screen=pad] form[data-pad]")
    expect(pad).to_have_attribute("data-left", str(FACE_VALUE - 107), timeout=PATIENCE_MS)
    assert page.evaluate("window.refused") == 1, "it is asked once and not again"


def test_where_nothing_can_decode_the_screen_says_to_type(phone, clerk):
    phone[1].see(None)
    page = clerk.page
    page.add_init_script(BROKEN_WORKER)
    clerk.open("/shop")
    open_shop(page)
    expect(page.locator("[data-when=blind]")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("[data-when=blind] [data-act=open]")).to_be_visible()
    assert page.evaluate("document.querySelector('video').srcObject") is None
    expect(page.locator("#code")).to_be_editable()


def test_an_empty_desk_reads_nothing_and_is_helped(phone, clerk):
    phone[1].see(None)
    page = clerk.page
    sent = watch_readings(page)
    hint = page.evaluate("document.getElementById('m-hint').content.textContent.trim()")
    open_shop(page)
    expect(page.locator("[data-say]")).to_have_text(hint, timeout=PATIENCE_MS)
    assert sent == []


def test_without_a_camera_the_number_is_typed(chromium, product, memory, print_file):
    qr, typed = read_paper(print_file)[7]
    pay(product, qr, 299)
    with visit(
        chromium, address_of(product), product.home, size=PHONE, storage_state=memory
    ) as seen:
        page = seen.open("/shop")
        open_shop(page)
        expect(page.locator("[data-when=denied]")).to_be_visible()
        page.locator(".gp-tools [data-act=type]").click()
        expect(page.locator("#code")).to_be_focused()
        page.keyboard.type(typed)
        page.keyboard.press("Enter")
        pad = page.locator("[data-screen=pad] form[data-pad]")
        expect(pad).to_have_attribute("data-left", str(FACE_VALUE - 299), timeout=PATIENCE_MS)
        seen.check()
