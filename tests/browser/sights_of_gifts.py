"""Gifts as their senders see them: the list, the steps of a draft, parcels."""

from __future__ import annotations

import re
import time
from functools import partial

from tests.browser.scenes import FIRM_OWNER, Scenes
from tests.browser.sights import Sight, Way, at, desk, send, sent
from tests.browser.visitor import Visitor
from tests.flows.conftest import READY_WITHIN_S

PEOPLE = "氏名\tメール\tメモ\n見本 花子\thanako@example.com\t\n見本 太郎\ttaro@exmaple\t\n"
ISSUER, APPROVER = "issuer@hanamaru.example", "approver@hanamaru.example"
VIEWER = "viewer@hanamaru.example"
SUPPLIER, KEEPER = "架空食品 みのり堂", "架空雑貨 くらしや"
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


def _wrong(name: str, place: str) -> Way:
    """Send a step of a fresh draft as it is."""

    def way(visitor: Visitor, scenes: Scenes) -> None:
        _step(name)(visitor, scenes)
        with visitor.page.expect_navigation():
            visitor.page.locator(place).first.click()

    return way


def _when_wrong(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/{_begin(visitor)}/when")
    page.locator("main label:has([name=start][value=later])").click()
    page.fill("#day", "")
    page.fill("#hour", "25")
    page.fill("#claim_by", "2020-01-01")
    send(page)


def _file_wrong(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/{_begin(visitor)}/recipients")
    file = {
        "name": "photo.png",
        "mimeType": "image/png",
        "buffer": b"\x89PNG\r\n\x1a\n" + bytes(99),
    }
    page.set_input_files("#file", file)  # type: ignore[arg-type]
    with page.expect_navigation():
        page.locator("button[value=file]").click()


def _codes_wrong(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/{_begin(visitor)}/recipients")
    page.fill("#count", "1,000,001")
    with page.expect_navigation():
        page.locator("button[value=codes]").click()


def _reason_missing(visitor: Visitor, scenes: Scenes) -> None:
    page = visitor.open(f"/desk/gifts/{scenes.gifts['submitted']}")
    with page.expect_navigation():
        page.locator("form[action$='/send-back'] button, form:has(#reason) button").click()


def _issuing(visitor: Visitor, scenes: Scenes) -> None:
    """Look at an order whose gifts wait for the workers."""
    with scenes.standstill():
        visitor.open(f"/desk/gifts/{scenes.make_gifts('moving', '600')['issuing']}")


def _stop(visitor: Visitor, scenes: Scenes, *, says_why: bool = True, is_sure: bool = True) -> None:
    """Look at what stopping an order would do, and stop it."""
    with scenes.standstill():
        page = visitor.open(f"/desk/gifts/{scenes.make_gifts('moving', '24')['issuing']}/stop")
        if says_why:
            page.locator("main label:has([name=why])").first.click()
        if is_sure:
            send(page)


IN_PART = "/desk/gifts/one/{s.gifts[gift_in_part]}/address"
TRACKED_WRONG = "お届け番号,伝票番号\nG-XXXXX,1\n"


def _tracking(text: str) -> Way:
    def way(visitor: Visitor, scenes: Scenes) -> None:
        page = visitor.open(f"/desk/gifts/shipping/tracking?supplier={SUPPLIER}")
        file = {"name": "送り状.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.set_input_files("#file", file)  # type: ignore[arg-type]
        send(page)

    return way


def _address_wrong(visitor: Visitor, scenes: Scenes) -> None:
    """Send a gift by mail to nobody."""
    page = visitor.open((ONE + "/address").format(s=scenes))
    page.locator("main label:has([name=channel][value=mail])").click()
    page.fill("#address", "x")
    send(page)


def _without_a_tick(visitor: Visitor, scenes: Scenes) -> None:
    """Ask for another link of a gift that something was chosen with, and do not say for whom."""
    page = visitor.open(IN_PART.format(s=scenes))
    page.locator("main label:has([name=channel][value=link])").click()
    send(page)


def _replace_wrong(visitor: Visitor, scenes: Scenes) -> None:
    """Replace a card by a mail to nobody."""
    page = visitor.open(f"/desk/gifts/one/{scenes.gifts['gift_card']}/replace")
    page.locator("main label:has([name=channel][value=mail])").click()
    page.fill("#address", "hanako@exmaple")
    send(page)


def _printed(visitor: Visitor, scenes: Scenes) -> None:
    """Look at the files of cards and letters of an order when they are ready."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        page = visitor.open(f"/desk/gifts/{scenes.gifts['printed']}")
        if page.locator("#printed a[href$='print-house.zip']").count():
            return
        assert time.monotonic() < deadline, page.locator("#printed").inner_text()
        page.wait_for_timeout(500)


def of(name: str, more: str = "", who: str = FIRM_OWNER) -> Sight:
    """A page of the order that is called so."""
    title = re.sub(r"[^a-z]+", " ", f"gifts order {name} {more}").strip()
    path = f"/desk/gifts/{{s.gifts[{name}]}}{more}"
    return desk(title + ("" if who == FIRM_OWNER else f" for {who.partition('@')[0]}"), path, who)


def one(name: str, more: str = "") -> Sight:
    """A page of the gift that is called so."""
    path = f"/desk/gifts/one/{{s.gifts[gift_{name}]}}{more}"
    return desk(f"gifts one {name}{more.replace('/', ' ')}", path, FIRM_OWNER)


ONE = "/desk/gifts/one/{s.gifts[gift_open]}"
LISTED = f"/desk/gifts/shipping/list?supplier={KEEPER}"
ORDERS = (
    Sight("gifts order full design", "desk", FIRM_OWNER, at("/desk/gifts/{s.gifts[full]}/design")),
    of("full", "/goods"),
    of("full", "/recipients"),
    of("full", "/when"),
    of("full", "/check"),
    of("full", "/check", VIEWER),
    of("full", "/preview"),
    of("too_much", "/check"),
    of("twice", "/recipients"),
    of("coded", "/recipients"),
    of("coded", "/when"),
    of("coded", "/check"),
    of("codes_too_many", "/check"),
    of("codes"),
    of("codes", who=VIEWER),
    of("codes", "/preview"),
    one("code"),
    one("code", "/replace"),
    Sight("gifts codes wrong", "desk", FIRM_OWNER, _codes_wrong, 422),
    of("refused", "/check"),
    of("submitted", who=ISSUER),
    of("submitted", who=APPROVER),
    of("submitted", who=VIEWER),
    of("approved"),
    Sight("gifts reason missing", "desk", APPROVER, _reason_missing, 422),
    Sight("gifts goods wrong", "desk", FIRM_OWNER, _wrong("goods", "main .gp-form button"), 422),
    Sight("gifts no file", "desk", FIRM_OWNER, _wrong("recipients", "button[value=file]"), 422),
    Sight("gifts file wrong", "desk", FIRM_OWNER, _file_wrong, 422),
    Sight("gifts when wrong", "desk", FIRM_OWNER, _when_wrong, 422),
    Sight("gifts issuing", "desk", FIRM_OWNER, _issuing),
    of("board"),
    of("board", who=VIEWER),
    of("board", "?show=undelivered"),
    of("board", "?show=ending"),
    of("board", "?q=zzzz"),
    of("board", "/cancel-rest"),
    of("board", "/stop"),
    Sight("gifts stop", "desk", FIRM_OWNER, partial(_stop, is_sure=False)),
    Sight("gifts stop why missing", "desk", FIRM_OWNER, partial(_stop, says_why=False), 422),
    Sight("gifts stopped", "desk", FIRM_OWNER, _stop),
    of("fresh"),
    of("reminded", "?show=unopened"),
    of("reminded", "/remind"),
    of("reminded", "/remind?show=claimed"),
    one("reminded"),
    one("reminded", "/resend"),
    Sight("gifts printed", "desk", FIRM_OWNER, _printed),
    of("purse_draft", "/goods"),
    of("purse_draft", "/check"),
    of("purse_draft", "/preview"),
    of("purses"),
    of("purses", "?show=used"),
    of("purses", "/cancel-rest"),
    one("open"),
    one("claimed"),
    one("cancelled"),
    one("bounced"),
    one("bounced", "/resend"),
    one("purse"),
    one("in_part"),
    one("in_part", "/cancel"),
    one("kept"),
    one("rest_ended"),
    one("passed_on"),
    one("card"),
    one("card", "/replace"),
    Sight("gifts one replace wrong", "desk", FIRM_OWNER, _replace_wrong, 422),
    one("replaced"),
    one("claimed", "/replace"),
    one("open", "/address"),
    one("open", "/extend"),
    one("open", "/cancel"),
    one("claimed", "/cancel"),
    Sight("gifts one address wrong", "desk", FIRM_OWNER, _address_wrong, 422),
    desk("gifts in part address", IN_PART, FIRM_OWNER),
    Sight("gifts in part without a tick", "desk", FIRM_OWNER, _without_a_tick, 409),
    Sight("gifts one extend wrong", "desk", FIRM_OWNER, sent(ONE + "/extend", claim_by=""), 422),
    desk("gifts waiting list", "/desk/gifts?show=waiting", FIRM_OWNER),
    desk("gifts none closed", "/desk/gifts?show=closed", FIRM_OWNER),
    desk("gifts parcels to send", f"/desk/gifts/shipping/list?supplier={SUPPLIER}", FIRM_OWNER),
    desk("gifts parcels with lists", f"{LISTED}&state=preparing", FIRM_OWNER),
    desk("gifts parcels under way", f"{LISTED}&state=shipped", FIRM_OWNER),
    desk("gifts parcels back", f"{LISTED}&state=returned", FIRM_OWNER),
    desk("gifts claim", "/desk/gifts/shipping/claims/{s.gifts[claim]}", FIRM_OWNER),
    desk("gifts claim listed", "/desk/gifts/shipping/claims/{s.gifts[claim_listed]}", FIRM_OWNER),
    desk("gifts claim sent", "/desk/gifts/shipping/claims/{s.gifts[claim_shipped]}", FIRM_OWNER),
    desk("gifts claim back", "/desk/gifts/shipping/claims/{s.gifts[claim_returned]}", FIRM_OWNER),
    Sight(
        "gifts tracking faults",
        "desk",
        FIRM_OWNER,
        _tracking("お届け番号,伝票番号\nG-XXXXX,1\n"),
        422,
    ),
)
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
    *ORDERS,
)
