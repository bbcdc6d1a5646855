"""What can be looked at of the catalogue, in the company that gives gifts."""

from __future__ import annotations

from tests.browser.scenes import FIRM_OWNER, OWNER, Scenes
from tests.browser.sights import Sight, Way, desk, sent
from tests.browser.visitor import Visitor

START = "/desk/catalogue"
RIGHT = "code,name,price,courses\nHM-NEW,見本の品,900,C3000\n"
WRONG = "商品コード,商品名,価格,コース\nHM-NEW,見本の品,900,C3000\nHM-BAD,,高い,C9\nだめ,名,1,\n"


def _product(code: str) -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(f"{START}?q={code}")
        with page.expect_navigation():
            page.locator("main table tbody a").first.click()

    return way


def _course(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(START)
    with page.expect_navigation():
        page.locator("main h3 a").nth(1).click()


def _handed_in(text: str) -> Way:
    """Hand in a file, and wait until it is checked."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(f"{START}/imports/new")
        file = {"name": "products.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.set_input_files("#file", file)
        with page.expect_navigation():
            page.locator("main form button[type=submit]").first.click()
        page.wait_for_selector("#import:not([hx-get])")

    return way


CATALOGUE = (
    desk("catalogue", START, FIRM_OWNER),
    desk("catalogue empty", START, OWNER),
    desk("catalogue none", f"{START}?q=zzzz", FIRM_OWNER),
    Sight("catalogue product", "desk", FIRM_OWNER, _product("HM-TOWEL")),
    Sight("catalogue digital", "desk", FIRM_OWNER, _product("HM-CINEMA")),
    Sight("catalogue course", "desk", FIRM_OWNER, _course),
    desk("catalogue course new", f"{START}/courses/new", FIRM_OWNER),
    Sight(
        "catalogue course wrong", "desk", FIRM_OWNER, sent(f"{START}/courses/new", code="だめ"), 422
    ),
    desk("catalogue upload", f"{START}/imports/new", FIRM_OWNER),
    Sight("catalogue import ready", "desk", FIRM_OWNER, _handed_in(RIGHT)),
    Sight("catalogue import wrong", "desk", FIRM_OWNER, _handed_in(WRONG)),
)
