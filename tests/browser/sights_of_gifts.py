"""Gifts as their senders see them: the list, the steps of a draft, parcels."""

from __future__ import annotations

from tests.browser.scenes import FIRM_OWNER, Scenes
from tests.browser.sights import Sight, Way, desk
from tests.browser.visitor import Visitor

PEOPLE = "氏名\tメール\tメモ\n見本 花子\thanako@example.com\t\n見本 太郎\ttaro@exmaple\t\n"
KNOWN = "氏名\tメール\n見本 花子\thanako@example.com\n見本 太郎\ttaro@exmaple\n"


def _begin(visitor: Visitor) -> str:
    """Begin an order, and return its address."""
    page = visitor.open("/desk/gifts")
    with page.expect_navigation():
        page.locator("main form[action='/desk/gifts'] button").click()
    return page.url.rpartition("/")[0].partition("://")[2].partition("/")[2]


def _step(name: str) -> Way:
    return lambda visitor, _: visitor.open(f"/{_begin(visitor)}/{name}")


def _pasted(text: str) -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(f"/{_begin(visitor)}/recipients")
        page.locator("main details:has(#pasted) > summary").click()
        page.fill("#pasted", text)
        with page.expect_navigation():
            page.locator("button[value=paste]").click()

    return way


def _wrong_design(visitor: Visitor, scenes: Scenes) -> None:
    _begin(visitor)
    with visitor.page.expect_navigation():
        visitor.page.locator("#letter button[type=submit]").first.click()


GIFTS = (
    desk("gifts", "/desk/gifts", FIRM_OWNER),
    Sight("gifts design", "desk", FIRM_OWNER, _step("design")),
    Sight("gifts design wrong", "desk", FIRM_OWNER, _wrong_design, 422),
    Sight("gifts goods", "desk", FIRM_OWNER, _step("goods")),
    Sight("gifts recipients", "desk", FIRM_OWNER, _step("recipients")),
    Sight("gifts recipients faulty", "desk", FIRM_OWNER, _pasted(KNOWN)),
    Sight("gifts columns", "desk", FIRM_OWNER, _pasted(PEOPLE)),
    Sight("gifts when", "desk", FIRM_OWNER, _step("when")),
    Sight("gifts check", "desk", FIRM_OWNER, _step("check")),
    Sight("gifts discard", "desk", FIRM_OWNER, _step("discard")),
    Sight("gifts preview", "desk", FIRM_OWNER, _step("preview")),
    desk("gifts parcels", "/desk/gifts/shipping", FIRM_OWNER),
    desk("gifts parcels of one", "/desk/gifts/shipping/list?supplier=x", FIRM_OWNER),
    desk("gifts parcels columns", "/desk/gifts/shipping/columns?supplier=x", FIRM_OWNER),
    desk("gifts parcels tracking", "/desk/gifts/shipping/tracking?supplier=x", FIRM_OWNER),
)
