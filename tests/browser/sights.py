"""What a sight is: one state of one page, who sees it, and how to get there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

from tests.browser.scenes import CLERK, OWNER, Scenes
from tests.browser.visitor import Visitor

Kind = Literal["desk", "shop", "holder", "gift"]
Way = Callable[[Visitor, Scenes], object]
NOWHERE = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Sight:
    """One state of one page."""

    name: str
    kind: Kind
    who: str | None
    way: Way
    status: int = 200
    path: str = ""
    has_camera: bool = False


def at(path: str) -> Way:
    """Go to an address; what stands in it in braces is taken from the scenes."""
    return lambda visitor, scenes: visitor.open(path.format(s=scenes))


def plain(name: str, kind: Kind, who: str | None, path: str, status: int = 200) -> Sight:
    return Sight(name, kind, who, at(path), status, path)


def desk(name: str, path: str, who: str = OWNER, status: int = 200) -> Sight:
    """A page of the issuer portal, at its address."""
    return plain(name, "desk", who, path, status)


def send(page: Page) -> None:
    """Press the button of the page's own form, and wait for what comes."""
    with page.expect_navigation():
        page.locator("main form[method=post] button, main form button").last.click()


def sent(path: str, **fields: str) -> Way:
    """Fill in the form at an address and send it."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(path.format(s=scenes))
        for name, value in fields.items():
            page.fill(f"main form [name={name}]", value.format(s=scenes))
        send(page)

    return way


def shop(name: str, path: str, who: str = CLERK, status: int = 200) -> Sight:
    """A page of the shop app, at its address."""
    return plain(name, "shop", who, path, status)
