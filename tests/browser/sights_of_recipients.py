"""Gifts as their recipients see them, from the letter to the thanks."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.scenes import Scenes
from tests.browser.sights import NOWHERE, Sight, Way
from tests.browser.visitor import Visitor

WRONG_LINK = f"/g/{7:036}"


def press(page: Page, place: str) -> None:
    """Press something that leads to another page, and wait for it."""
    with page.expect_navigation(wait_until="load"):
        page.locator(place).first.click()


def open_link(visitor: Visitor, link: str) -> Page:
    """Open a gift in somebody's browser."""
    return visitor.open(link[link.index("/g/") :])


def _link(name: str) -> Way:
    """Open a gift that stands so."""
    return lambda visitor, scenes: open_link(visitor, scenes.gifts["links"][name])


def _on(path: str) -> Way:
    """Open the gift that waits to be chosen, and go somewhere with it."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        open_link(visitor, scenes.gifts["links"]["open"])
        visitor.open(path.format(s=scenes, p=scenes.gifts["products"]))

    return way


def _choose(visitor: Visitor, scenes: Scenes, code: str, *, link: str = "") -> Page:
    """Choose something with a gift, the one that nobody claims unless another is named."""
    open_link(visitor, link or scenes.gifts["links"]["open"])
    page = visitor.open(f"/g/products/{scenes.gifts['products'][code]}")
    if page.locator("main [name=variant][type=radio]").count():
        page.locator("main label:has([name=variant])").first.click()
    press(page, "main form button[data-kind=main]")
    return page


def _address(code: str = "HM-BEEF") -> Way:
    return lambda visitor, scenes: _choose(visitor, scenes, code)


def _address_wrong(visitor: Visitor, scenes: Scenes) -> None:
    page = _choose(visitor, scenes, "HM-BEEF")
    page.fill("#postcode", "100-000")
    page.fill("#phone", "12")
    page.fill("#email", "hanako@exmaple")
    press(page, "main .gp-form > button[data-kind=main]")


def _postcode(code: str) -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = _choose(visitor, scenes, "HM-BEEF")
        page.fill("#postcode", code)
        press(page, "button[value=find]")

    return way


def fill_in(page: Page) -> None:
    """Say where a gift goes, and go on."""
    page.fill("#postcode", "100-0001")
    press(page, "button[value=find]")
    page.fill("#street", "千代田1-1")
    page.fill("#building", "見本ビルディング東館 1203号室")
    page.fill("#phone", "09000000000")
    page.fill("#wish", "玄関の前に置いてください")
    press(page, "main .gp-form > button[data-kind=main]")


def _review(code: str = "HM-BEEF") -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        fill_in(_choose(visitor, scenes, code))

    return way


def _lacks_age(visitor: Visitor, scenes: Scenes) -> None:
    _review("HM-SAKE")(visitor, scenes)
    press(visitor.page, "main form button[data-kind=main]")


def _tick_missing(visitor: Visitor, scenes: Scenes) -> None:
    page = _choose(visitor, scenes, "HM-CINEMA")
    press(page, "main .gp-form > button[data-kind=main]")
    press(page, "main form button[data-kind=main]")


def _done(visitor: Visitor, scenes: Scenes) -> Page:
    """Claim a gift; nobody else can look at that one."""
    page = _choose(visitor, scenes, "HM-BEEF", link=scenes.next_link())
    fill_in(page)
    press(page, "main form button[data-kind=main]")
    return page


def _thanks_wrong(visitor: Visitor, scenes: Scenes) -> None:
    press(_done(visitor, scenes), "form[action$='/thanks'] button")


def _thanked(visitor: Visitor, scenes: Scenes) -> None:
    page = _done(visitor, scenes)
    page.locator("label.gp-choice:has(input[value=delighted])").click()
    page.fill("#words", "とてもうれしいです。ありがとうございました。")
    press(page, "form[action$='/thanks'] button")


def _change(visitor: Visitor, scenes: Scenes) -> None:
    press(_done(visitor, scenes), "main a[href='/g/change']")


def _of_a_code(visitor: Visitor, scenes: Scenes) -> Page:
    page = _choose(visitor, scenes, "HM-CINEMA", link=scenes.next_link())
    press(page, "main .gp-form > button[data-kind=main]")
    page.check("#sure")
    press(page, "main form button[data-kind=main]")
    return page


def _code(visitor: Visitor, scenes: Scenes) -> None:
    press(_of_a_code(visitor, scenes), "form[action$='/code'] button")


def _gone_on(visitor: Visitor, scenes: Scenes) -> None:
    _choose(visitor, scenes, "HM-BEEF")
    visitor.open("/g")


def gift(name: str, way: Way, status: int = 200) -> Sight:
    """A page for whoever receives a gift."""
    return Sight(f"gift {name}", "gift", None, way, status)


RECIPIENTS = (
    gift("letter", _link("open")),
    gift("letter gone on", _gone_on),
    gift("letter again", _link("again")),
    gift("letter of code", _link("code")),
    gift("code replaced", _link("code_replaced"), 410),
    gift("waiting", _link("waiting")),
    gift("expired", _link("expired")),
    gift("cancelled", _link("cancelled")),
    gift("claimed elsewhere", _link("elsewhere")),
    gift("link wrong", lambda visitor, _: visitor.open(WRONG_LINK), 404),
    gift("closed", lambda visitor, _: visitor.open("/g"), 401),
    gift("choose", _on("/g/choose")),
    gift("choose a kind", _on("/g/choose?category=くらし")),
    gift("choose nothing found", _on("/g/choose?text=zzzz")),
    gift("choose sold out", _on(f"/g/products/{NOWHERE}")),
    gift("product", _on("/g/products/{p[HM-BEEF]}")),
    gift("product of kinds", _on("/g/products/{p[HM-TOWEL]}")),
    gift("product for adults", _on("/g/products/{p[HM-SAKE]}")),
    gift("product code", _on("/g/products/{p[HM-CINEMA]}")),
    gift("product donation", _on("/g/products/{p[HM-FOREST]}")),
    gift("address", _address()),
    gift("address of nothing", _on("/g/address")),
    gift("address wrong", _address_wrong, 422),
    gift("address found", _postcode("1000001")),
    gift("address several", _postcode("498-0000")),
    gift("address unknown", _postcode("000-0000")),
    gift("address for a code", _address("HM-CINEMA")),
    gift("review", _review()),
    gift("review age missing", _lacks_age, 422),
    gift("review tick missing", _tick_missing, 422),
    gift("done", _done),
    gift("done with a code", _of_a_code),
    gift("code", _code),
    gift("thanks wrong", _thanks_wrong, 422),
    gift("thanked", _thanked),
    gift("change", _change),
)
