"""The shop's tablet, and whoever keeps it, as they can be looked at."""

from __future__ import annotations

from tests.browser.scenes import OWNER, SHOP_OWNER, Scenes
from tests.browser.sights import Sight, Way, desk, plain, sent, shop
from tests.browser.tablets import CLERK_NAME, pair, show_code, type_pin
from tests.browser.visitor import Visitor


def _shows_code(visitor: Visitor, scenes: Scenes) -> None:
    show_code(visitor)


def _told_no(visitor: Visitor, scenes: Scenes) -> None:
    pair(visitor, scenes, word="no")
    visitor.page.wait_for_selector("#pairing [role=status]")


def _asked_for_pin(visitor: Visitor, scenes: Scenes) -> None:
    pair(visitor, scenes)
    visitor.page.wait_for_url(lambda address: "/shop/pair" not in address)  # it goes on by itself
    visitor.open("/shop/till")


def _pin_wrong(visitor: Visitor, scenes: Scenes) -> None:
    _asked_for_pin(visitor, scenes)
    type_pin(visitor.page, "5900")
    visitor.page.wait_for_selector(".gp-summary")


def _on_tablet(visitor: Visitor, scenes: Scenes) -> None:
    _asked_for_pin(visitor, scenes)
    type_pin(visitor.page)
    visitor.page.wait_for_selector("[data-screen=scan]")


def _tablet_waits(visitor: Visitor, scenes: Scenes) -> None:
    visitor.open(f"/activate/tablet?user_code={scenes.waiting_tablet()}")


def _follow(part: str) -> Way:
    """Open a page of a tablet or clerk from the page that lists them."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(f"/tablets/{scenes.shop}")
        with page.expect_navigation():
            page.locator(f"main a[href$='{part}']").first.click()

    return way


WRONG_PIN = sent("/tablets/{s.shop}", name=CLERK_NAME, pin="1234")
TABLETS = (
    plain("tablet", "shop", None, "/shop/pair"),
    Sight("tablet code", "shop", None, _shows_code),
    Sight("tablet told no", "shop", None, _told_no),
    Sight("tablet pin", "shop", None, _asked_for_pin),
    Sight("tablet pin wrong", "shop", None, _pin_wrong, 422),
    Sight("tablet scan", "shop", None, _on_tablet),
    shop("tablet connect", "/activate/tablet", SHOP_OWNER),
    shop("tablet connect wrong", "/activate/tablet?user_code=BCDF-GHJK", SHOP_OWNER, 422),
    Sight("tablet connect asked", "shop", SHOP_OWNER, _tablet_waits),
    Sight("tablet connect at a desk", "desk", OWNER, _tablet_waits),
    shop("tablets", "/tablets/{s.shop}", SHOP_OWNER),
    desk("tablets at a desk", "/tablets/{s.shop}"),
    Sight("tablets wrong", "shop", SHOP_OWNER, WRONG_PIN, 422),
    Sight("tablets name", "shop", SHOP_OWNER, _follow("/name")),
    Sight("tablets new pin", "shop", SHOP_OWNER, _follow("/pin")),
)
