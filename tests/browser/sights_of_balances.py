"""Balances in their recipients' hands, gifts passed on, and links that open nothing any more."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.scenes import FIRM, Scenes
from tests.browser.sights import Way
from tests.browser.sights_of_recipients import fill_in, gift, open_link, press
from tests.browser.visitor import Visitor

CANTEEN = "はなまる食堂"
CHEAP, OTHER, DIGITAL = "HM-TOWEL", "HM-FOREST", "HM-CINEMA"


def _link(name: str, then: str = "") -> Way:
    """Open a gift that is called so, and go somewhere with it."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        open_link(visitor, scenes.gifts[name])
        if then:
            visitor.open(then)

    return way


def _put_in(visitor: Visitor, scenes: Scenes, *codes: str, link: str = "") -> Page:
    """Put things into the basket of a balance, the one nobody uses unless another is named."""
    page = open_link(visitor, link or scenes.gifts["purse"])
    for code in codes:
        page = visitor.open(f"/g/products/{scenes.gifts['products'][code]}")
        if page.locator("main [name=variant][type=radio]").count():
            page.locator("main label:has([name=variant])").first.click()
        press(page, "main form button[data-kind=main]")
    return page


def _filled(*codes: str, then: str = "") -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        _put_in(visitor, scenes, *codes)
        if then:
            visitor.open(then)

    return way


def _too_dear(visitor: Visitor, scenes: Scenes) -> None:
    """Look at something that costs more than what is left."""
    _put_in(visitor, scenes, CHEAP, "HM-CUP", OTHER)
    visitor.open(f"/g/products/{scenes.gifts['products']['HM-BEEF']}")


def _review(visitor: Visitor, scenes: Scenes, *, link: str = "") -> Page:
    page = _put_in(visitor, scenes, CHEAP, OTHER, link=link)
    press(page, "main a[href='/g/address']")
    fill_in(page)
    return page


def _bought(visitor: Visitor, scenes: Scenes) -> Page:
    page = _review(visitor, scenes, link=scenes.next_link("spare_purses"))
    press(page, "main form button[data-kind=main]")
    return page


def _keep(visitor: Visitor, scenes: Scenes, *, after_buying: bool = False) -> Page:
    if after_buying:
        page = _bought(visitor, scenes)
    else:
        page = open_link(visitor, scenes.next_link("spare_purses"))
    visitor.open("/g/keep")
    page.check("#sure")
    press(page, "main form button[data-kind=main]")
    return page


def _keep_unsure(visitor: Visitor, scenes: Scenes) -> None:
    open_link(visitor, scenes.gifts["purse"])
    press(visitor.open("/g/keep"), "main form button[data-kind=main]")


def _paid(amounts_minor: tuple[int, ...]) -> Way:
    """Keep a balance, pay with it at the canteen and look at what is left."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = _keep(visitor, scenes)
        code = page.locator(".gp-serial[lang=en]").first.inner_text()
        for amount_minor in amounts_minor:
            scenes.pay_at(FIRM, CANTEEN, code, amount_minor)
        visitor.open("/g/balance")

    return way


def _held(visitor: Visitor, scenes: Scenes) -> None:
    _keep(visitor, scenes, after_buying=True)
    visitor.open("/g")


def _pass_on(channel: str, *, whole: bool = True) -> Way:
    """Fill in to whom a gift is passed on, and send it."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = open_link(
            visitor, scenes.next_link("spare_passing") if whole else scenes.gifts["may_pass"]
        )
        visitor.open("/g/pass-on")
        page.locator(f"main label:has([name=channel][value={channel}])").click()
        if whole and channel != "link":
            page.fill("#name", "見本 次郎")
            page.fill("#address", "jiro@example.com")
            page.fill("#passed_by", "見本 花子")
        press(page, "main form button[data-kind=main]")

    return way


def _passed_meanwhile(visitor: Visitor, scenes: Scenes) -> None:
    """Look again at a gift that was passed on in this browser."""
    _pass_on("link")(visitor, scenes)
    visitor.open("/g")


BALANCES = (
    gift("balance letter", _link("purse")),
    gift("balance letter used in part", _link("purse_in_part")),
    gift("balance letter for shops only", _link("purse_for_shops")),
    gift("balance letter gone on", _filled(CHEAP, then="/g")),
    gift("balance choose", _link("purse", "/g/choose")),
    gift("balance choose with a basket", _filled(CHEAP, OTHER, then="/g/choose")),
    gift("balance too dear", _too_dear),
    gift("basket empty", _link("purse", "/g/basket")),
    gift("basket", _filled(CHEAP)),
    gift("basket of several", _filled(CHEAP, OTHER, DIGITAL)),
    gift("balance address", _filled(CHEAP, OTHER, then="/g/address")),
    gift("balance review", _review),
    gift("balance done", _bought),
    gift("keep", _link("purse", "/g/keep")),
    gift("keep with a basket", _filled(CHEAP, then="/g/keep")),
    gift("keep for shops only", _link("purse_for_shops", "/g/keep")),
    gift("keep unsure", _keep_unsure, 422),
    gift("kept", _keep),
    gift("kept and paid with", _paid((800, 450))),
    gift("kept and used up", _paid((12_000,))),
    gift("kept beside things", _held),
    gift("kept elsewhere", _link("purse_kept")),
    gift("pass on", _link("may_pass", "/g/pass-on")),
    gift("pass on letter", _link("may_pass")),
    gift("pass on wrong", _pass_on("mail", whole=False), 422),
    gift("pass on not possible", _link("purse", "/g/pass-on")),
    gift("passed on by hand", _pass_on("link")),
    gift("passed on by mail", _pass_on("mail")),
    gift("passed on meanwhile", _passed_meanwhile, 410),
    gift("passed on, its new letter", _link("passed_on")),
    gift("passed on, its old link", _link("link_passed_on"), 410),
    gift("card replaced, its old link", _link("link_replaced"), 410),
)
