"""The pages of whoever runs the installation, as they can be looked at."""

from __future__ import annotations

import time

from tests.browser.scenes import FIRM, OPERATOR, OWNER, TOWN, Scenes, enter_tenant
from tests.browser.sights import NOWHERE, Sight, plain, sent
from tests.browser.visitor import Visitor
from tests.flows.conftest import READY_WITHIN_S


def operator(name: str, path: str, status: int = 200) -> Sight:
    """A page of the operator portal, at its address."""
    return plain(name, "desk", OPERATOR, path, status)


def _gift_orders(visitor: Visitor, scenes: Scenes) -> None:
    """Look at the board once the watch has measured the orders there are."""
    place = f"main tr a[href$='{scenes.gifts['board']}']"
    deadline = time.monotonic() + READY_WITHIN_S
    while not visitor.open("/operator/gifts").locator(place).count():
        assert time.monotonic() < deadline, visitor.page.inner_text("main")
        visitor.page.wait_for_timeout(500)


DEAD, ENTER = "/operator/dead/" + TOWN, "/operator/visits/" + TOWN
STUCK = f"/operator/gifts/{FIRM}/{{s.gifts[board]}}"
RUNNING = (
    operator("operator health", "/operator/health"),
    operator("operator health stopped", "/operator/health?refresh=off"),
    operator("operator dead", "/operator/dead"),
    operator("operator dead letters", DEAD),
    operator("operator dead none", "/operator/dead/" + FIRM),
    Sight("operator redrive wrong", "desk", OPERATOR, sent(DEAD, reason=""), 422),
    Sight("operator redriven", "desk", OPERATOR, sent(DEAD, count="1", reason="見本")),
    Sight("operator gifts", "desk", OPERATOR, _gift_orders),
    operator("operator gifts stuck", STUCK),
    Sight("operator gifts why missing", "desk", OPERATOR, sent(STUCK, reason=""), 422),
    operator("operator gifts well", f"/operator/gifts/{FIRM}/{{s.gifts[fresh]}}"),
    operator("operator gifts none", f"/operator/gifts/{FIRM}/{NOWHERE}", 404),
    operator("operator enter", ENTER),
    Sight("operator enter wrong", "desk", OPERATOR, sent(ENTER, reason="見本"), 422),
    Sight("operator visiting", "desk", None, lambda visitor, _: enter_tenant(visitor, FIRM)),
    Sight("members visited", "desk", OWNER, lambda v, scenes: scenes.be_visited(v)),
    operator("operator of a town", "/desk/members", 403),
    plain("operator health for a town", "desk", OWNER, "/operator/health", 403),
    plain("operator account", "desk", OPERATOR, "/account"),
)
