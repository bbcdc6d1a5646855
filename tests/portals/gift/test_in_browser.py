"""The pages of a gift in a real browser: small, large, by keys, without a script, on paper."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.browser.conftest import chromium, playwright  # noqa: F401 - used by name
from tests.browser.inspection import find_barriers, find_foreign
from tests.browser.visitor import PHONE, Visitor, visit
from tests.portals.gift.conftest import Sender, Sent

pytestmark = pytest.mark.slow

SMALLEST = {"width": 320, "height": 640}
FIRST_VIEW_MOST = 150_000
"""Bytes of the first view without fonts."""


@pytest.fixture
def address(sender) -> Iterator[str]:
    """The company's pages on this machine, where a browser reaches them."""
    server = make_server("127.0.0.1", 0, sender.site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def opening(chromium, address, tmp_path):  # noqa: F811 - pytest's way to ask for a fixture
    """Open a gift in a window of one size; nothing in it comes from elsewhere or fails."""

    @contextmanager
    def open_in(gift: Sent, **options) -> Iterator[Visitor]:
        with visit(chromium, address, tmp_path, **{"size": PHONE} | options) as visitor:
            visitor.open(gift.path)
            yield visitor
            visitor.check()

    return open_in


def press(page: Page, place: str) -> None:
    """Press something that leads to another page, and wait until that is there."""
    with page.expect_navigation(wait_until="load"):
        page.click(place)


def choose(page: Page, sender: Sender, code: str, variant: str = "") -> None:
    """Choose a product on its page."""
    page.goto(page.url.partition("/g")[0] + sender.path(code))
    if variant:
        page.check(f"input[value='{sender.variant(variant)}']")
    press(page, "main form button")


def fill_in(page: Page) -> None:
    """Fill in the address by its postcode, and go on."""
    page.fill("#postcode", "100-0001")
    press(page, "button[value=find]")
    page.fill("#street", "千代田1-1")
    page.fill("#phone", "09000000000")
    press(page, "main .gp-form > button[data-kind=main]")


def judge(visitor: Visitor, locale: str) -> list[str]:
    """Return what is wrong with the page that is seen."""
    page = visitor.page
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    too_wide = [f"it is {over} px too wide"] if over > 0 else []
    return too_wide + find_barriers(page) + find_foreign(page, locale)


@pytest.mark.parametrize(
    ("locale", "size", "letters"),
    [
        pytest.param("ja", PHONE, "m", marks=pytest.mark.long),
        ("en", PHONE, "m"),
        ("ja", SMALLEST, "xl"),
        pytest.param("en", SMALLEST, "l", marks=pytest.mark.long),
    ],
)
def test_every_page_of_the_way_can_be_used(sender, gift, opening, locale, size, letters):
    faults: list[str] = []
    with opening(gift, locale=locale, size=size) as visitor:
        page = visitor.page
        visitor.context.add_cookies([{"name": "gp_size", "value": letters, "url": page.url}])
        page.reload()

        def look(name: str) -> None:
            faults.extend(f"{name}: {fault}" for fault in judge(visitor, locale))

        look("letter")
        press(page, "main a.gp-button[data-kind=main]")
        look("choice")
        page.goto(page.url.partition("/g")[0] + sender.path("TOWEL"))
        press(page, "main form button")
        look("product, wrong")
        choose(page, sender, "TOWEL", "TOWEL-K")
        look("address")
        press(page, "main .gp-form > button[data-kind=main]")
        look("address, wrong")
        page.fill("#postcode", "498-0000")
        press(page, "button[value=find]")
        look("address, several")
        fill_in(page)
        look("review")
        press(page, "main form button")
        look("status")
        press(page, "main form button")
        look("thanks, wrong")
        page.check("input[value=delighted]")
        press(page, "main form button")
        look("thanked")
        press(page, "main a[href='/g/change']")
        look("change")
    assert faults == []


@pytest.mark.parametrize("gesture", ["touch", "wheel", "key", "press"])
def test_a_letter_counts_as_opened_when_somebody_does_something(sender, gift, opening, gesture):
    does = {
        "touch": lambda page: page.touchscreen.tap(100, 300),
        "wheel": lambda page: page.mouse.wheel(0, 100),
        "key": lambda page: page.keyboard.press("Tab"),
        "press": lambda page: page.click("h1"),
    }
    with opening(gift, has_touch=True) as visitor:
        with visitor.page.expect_response("**/g/opened") as told:
            does[gesture](visitor.page)
        assert told.value.status == 204
    assert sender.opened_at(gift) is not None


def test_a_program_that_runs_scripts_and_scrolls_has_opened_nothing(sender, gift, opening):
    with opening(gift) as visitor:
        asked = []
        visitor.page.on("request", lambda request: asked.append((request.method, request.url)))
        script = """() => {
          window.scrollTo(0, document.body.scrollHeight);
          for (const type of ['pointerdown', 'touchstart', 'wheel', 'keydown', 'click']) {
            document.body.dispatchEvent(new Event(type, { bubbles: true }));
          }
          document.querySelector('form[data-opened]').submit();
        }"""
        with visitor.page.expect_response("**/g/opened"):
            visitor.page.evaluate(script)
        sent = [url.rpartition("/")[2] for method, url in asked if method == "POST"]
        assert sent == ["opened"]
    assert sender.opened_at(gift) is None


def test_everything_works_without_a_script(sender, gift, opening):
    with opening(gift, locale="en", java_script_enabled=False) as visitor:
        page = visitor.page
        choose(page, sender, "BEEF")
        fill_in(page)
        press(page, "main form button")
        assert page.inner_text("h1") == "We have your request"
        page.check("input[value=thanks]")
        press(page, "main form button")
        assert "Your thanks have been sent." in page.inner_text("main")
    assert sender.letter(gift).thanks.stamp == "thanks"
    assert sender.opened_at(gift) is not None  # whoever chooses has read it


def test_the_letter_leads_to_a_choice_by_keys_alone(gift, opening):
    with opening(gift, locale="en") as visitor:
        page = visitor.page
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('main a.gp-button')"):
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/g/choose")


def test_the_first_view_is_light(gift, opening, chromium, address, tmp_path):  # noqa: F811 - as above
    loaded: dict[str, int] = {}

    def weigh(response) -> None:
        if not response.url.endswith(".woff2"):
            loaded[response.url] = int(response.headers.get("content-length", 0))

    with visit(chromium, address, tmp_path, size=PHONE) as visitor:
        visitor.page.on("response", weigh)
        visitor.open(gift.path)
    assert sum(loaded.values()) < FIRST_VIEW_MOST
    assert len(loaded) > 5


def test_on_paper_the_letter_stands_alone(gift, opening):
    with opening(gift) as visitor:
        visitor.page.emulate_media(media="print")
        assert visitor.page.is_visible(".gp-letter__words")
        for part in ("main a.gp-button", ".gp-head__tools", ".gp-foot"):
            assert not visitor.page.is_visible(part), part


def test_two_minutes_before_its_end_a_page_says_so_and_can_be_kept_open(gift, opening):
    with opening(gift, locale="en") as visitor:
        page = visitor.page
        page.clock.install()
        page.reload()
        notice = page.locator("#closing")
        page.clock.fast_forward("01:27:00")
        expect(notice).to_be_hidden()
        page.clock.fast_forward("00:01:30")
        expect(notice).to_be_visible()
        assert find_barriers(page) == []
        with page.expect_response("**/g"):
            notice.locator("button").click()
        expect(notice).to_be_hidden()
        page.clock.fast_forward("01:28:30")
        expect(notice).to_be_visible()
