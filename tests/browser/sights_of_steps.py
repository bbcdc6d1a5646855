"""Second steps and forgotten passwords, as they can be looked at."""

from __future__ import annotations

from tests.browser.scenes import KEEPER, OWNER, VIEWER, Scenes
from tests.browser.sights import Sight, Way, plain, send
from tests.browser.visitor import Visitor


def _try(visitor: Visitor, email: str, password: str) -> None:
    page = visitor.open("/sign-in")
    page.fill("#email", email)
    page.fill("#password", password)
    with page.expect_navigation():
        page.press("#password", "Enter")


def _second_step(visitor: Visitor, scenes: Scenes) -> None:
    _try(visitor, OWNER, visitor.password())
    visitor.page.wait_for_url("**/sign-in/second")


def _second_step_wrong(visitor: Visitor, scenes: Scenes) -> None:
    _second_step(visitor, scenes)
    visitor.page.fill("#code", "0000-0000-0000")
    send(visitor.page)


def _set_up(visitor: Visitor, scenes: Scenes) -> None:
    _try(visitor, KEEPER, scenes.keeper_password)
    visitor.page.wait_for_url("**/sign-in/set-up")


def _set_up_wrong(visitor: Visitor, scenes: Scenes) -> None:
    _set_up(visitor, scenes)
    visitor.page.fill("#code", "000000")
    with visitor.page.expect_navigation():
        visitor.page.press("#code", "Enter")


def _own(who: str) -> Way:
    """Look at one's own second steps, right after signing in."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        visitor.sign_in(who)
        visitor.open("/account/second-step")

    return way


def _sheet(visitor: Visitor, scenes: Scenes) -> None:
    _own(OWNER)(visitor, scenes)
    with visitor.page.expect_navigation():
        visitor.page.locator("form[action$='/codes'] button").click()


def _prove_wrong(visitor: Visitor, scenes: Scenes) -> None:
    visitor.open("/account/prove")
    visitor.page.fill("#code", "0000-0000-0000")
    with visitor.page.expect_navigation():
        visitor.page.press("#code", "Enter")


def _forgotten_code(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open("/forgotten")
    page.fill("#email", "nobody@midori.example")
    send(page)
    page.wait_for_url("**/forgotten/code")


def _forgotten_code_wrong(visitor: Visitor, scenes: Scenes) -> None:
    _forgotten_code(visitor, scenes)
    for name in ("password", "again"):
        visitor.page.fill(f"#{name}", "several words in a row")
    visitor.page.fill("#code", "AAAA-AAAA")
    send(visitor.page)


STEPS = (
    Sight("second step", "desk", None, _second_step),
    Sight("second step wrong", "desk", None, _second_step_wrong, 422),
    Sight("second step set up", "desk", None, _set_up),
    Sight("second step set up wrong", "desk", None, _set_up_wrong, 422),
    Sight("second steps of one's own", "desk", None, _own(OWNER)),
    Sight("second steps, none yet", "desk", None, _own(VIEWER)),
    Sight("recovery codes", "desk", None, _sheet),
    plain("proof", "desk", OWNER, "/account/prove"),
    plain("proof by password", "desk", VIEWER, "/account/prove"),
    Sight("proof wrong", "desk", OWNER, _prove_wrong, 422),
    plain("forgotten password", "desk", None, "/forgotten"),
    Sight("forgotten password, code", "desk", None, _forgotten_code),
    Sight("forgotten password, code wrong", "desk", None, _forgotten_code_wrong, 422),
)
