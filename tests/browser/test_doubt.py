"""What the till shows of a payment whose answer was lost when asking does not help either."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.scenes import CLERK
from tests.browser.visitor import PHONE, Visitor

pytestmark = pytest.mark.slow

NOTHING_MOVED = re.compile("No money has moved|Nothing was sent")


@pytest.fixture
def clerk(visitor, scenes) -> Visitor:
    """A clerk who reads English, at the till."""
    made: Visitor = visitor(locale="en", size=PHONE, storage_state=scenes.signed_in(CLERK))
    return made


def read(page: Page, typed: str) -> None:
    """Type the number of a coupon."""
    page.fill("#code", typed)
    page.press("#code", "Enter")
    page.locator("[data-screen=pad]").wait_for()


def lose_the_answer(page: Page, amount: str) -> None:
    """Take an amount, and let the answer get lost; the yellow screen is shown then."""
    for digit in amount:
        page.locator(f"button[data-key='{digit}']").click()
    page.locator("[data-go]").click()
    button = page.locator("[data-screen=confirm] form[data-pay] button")
    button.wait_for()

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/shop/pay/*", lose, times=1)
    button.click()
    page.locator("[data-screen=doubt]").wait_for()


def leave_in_doubt(page: Page, typed: str, amount: str) -> None:
    """Pay, lose the answer, let asking again fail too, and go on with the next customer."""
    read(page, typed)
    page.route(
        "**/shop/pay/*",
        lambda route: (
            route.abort() if "again=1" in (route.request.post_data or "") else route.fallback()
        ),
    )
    lose_the_answer(page, amount)
    page.locator("[data-later]").click()
    page.locator("[data-screen=scan]").wait_for()


@pytest.mark.parametrize(
    "status", [403, *(pytest.param(each, marks=pytest.mark.long) for each in (400, 413))]
)
def test_what_the_door_says_never_replaces_the_yellow_screen(clerk, scenes, status):
    page = clerk.open("/shop")
    read(page, scenes.typed["till"])
    # The answer of the door, as it stands when it knows of no earlier sending.
    said = '<div class="gp-problem"><p>No money has moved.</p></div>'
    page.route(
        "**/shop/pay/*",
        lambda route: (
            route.fulfill(status=status, content_type="text/html", body=said)
            if "again=1" in (route.request.post_data or "")
            else route.fallback()
        ),
    )
    lose_the_answer(page, "100")
    doubt = page.locator("[data-screen=doubt]")
    expect(doubt.locator("[data-said=turned]")).to_be_visible()
    expect(doubt.locator("[data-said=asking], [data-act=ask]")).to_have_count(2)
    expect(doubt.locator("[data-act=ask]")).to_be_hidden()
    expect(page.locator("body")).not_to_contain_text(NOTHING_MOVED)
    page.unroute("**/shop/pay/*")
    doubt.locator("[data-list]").click()
    page.wait_for_url("**/shop/today")
    expect(page.locator("#gp-doubts [data-said=accepted]")).to_be_visible()


def test_the_pad_warns_of_a_payment_in_doubt_with_the_same_coupon(clerk, scenes):
    page = clerk.open("/shop")
    leave_in_doubt(page, scenes.typed["doubt"], "120")
    read(page, scenes.typed["change"])
    warning = page.locator("[data-open-doubt]")
    expect(warning).to_be_hidden()
    page.locator("[data-scan-link]").first.click()
    page.locator("[data-screen=scan]").wait_for()
    read(page, scenes.typed["doubt"])
    expect(warning.locator("[data-said=open]")).to_be_visible()
    expect(warning.locator("[data-said=open]")).to_contain_text("¥120")
    page.unroute("**/shop/pay/*")
    expect(warning).to_be_hidden()
    expect(page.locator("[data-just-paid]")).to_contain_text("¥120")


def test_a_form_that_was_sent_is_not_called_unsent(clerk, scenes):
    page = clerk.open("/shop")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    clerk.open(f"/shop/payments/{scenes.payments['cancel']}/cancel")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.locator("main input[name=reason]").first.check(force=True)
    clerk.context.set_offline(True)
    page.locator("main form[method=post] button[type=submit]").last.click()
    expect(page.locator("[data-screen=unanswered]")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(NOTHING_MOVED)
    page.goto(f"{clerk.address}/shop/today")
    expect(page.locator("[data-screen=offline]")).to_be_visible()


SMALL = [(360, 640), (390, 700), (390, 844)]
_KEYS_LOST = """() => {
  const bar = document.querySelector('.gp-confirm').getBoundingClientRect();
  return [...document.querySelectorAll('.gp-key')].filter((key) => {
    const box = key.getBoundingClientRect();
    return box.top < 0 || box.height < 44 || box.bottom > Math.min(bar.top, innerHeight);
  }).map((key) => key.dataset.key);
}"""


@pytest.mark.parametrize("letters", ["m", "l", "xl"])
def test_every_key_is_in_sight_however_large_the_letters(clerk, scenes, letters):
    page = clerk.open("/shop")
    read(page, scenes.typed["change"])
    page.evaluate("(size) => { document.documentElement.dataset.size = size }", letters)
    for width, height in SMALL:
        page.set_viewport_size({"width": width, "height": height})
        for amount in ("1", "9999999"):
            page.fill("#amount", amount)
            lost = page.evaluate(_KEYS_LOST)
            assert lost == [], (width, height, amount)


def test_the_pad_reads_an_amount_as_the_server_does(clerk, scenes):
    page = clerk.open("/shop")
    read(page, scenes.typed["change"])
    hint = page.locator("#amount-hint")
    for wrong in ("", "1.5", "-350", "1,5"):
        page.fill("#amount", "")
        page.locator("#amount").press_sequentially(wrong)
        page.press("#amount", "Enter")
        expect(hint).to_have_text("Please type a whole number of yen.")
        expect(page.locator("[data-screen=pad]")).to_be_visible()
    page.fill("#amount", "")
    page.locator("#amount").press_sequentially("1,380")
    expect(page.locator("#amount")).to_have_value("1,380")
    page.fill("#amount", "")
    page.locator("#amount").press_sequentially("1380")
    expect(page.locator("#amount")).to_have_value("1,380")


def test_a_doubt_is_seen_by_its_own_shop_only(clerk, scenes):
    page = clerk.open("/shop")
    leave_in_doubt(page, scenes.typed["change"], "10")
    expect(page.locator("#gp-doubts li")).to_have_count(1)
    page.evaluate("document.getElementById('main').dataset.shop = 'another'")
    page.evaluate("document.dispatchEvent(new Event('gp:shown'))")
    expect(page.locator("#gp-doubts li")).to_have_count(0)
    clerk.open("/shop")
    expect(page.locator("#gp-doubts li")).to_have_count(1)
    page.unroute("**/shop/pay/*")
