"""The sixth flow: gifts are ordered, opened, chosen with, thanked for; some are taken back.

Letters go to whoever takes mail in ``bench.post``, which nobody kills: what each person got is
counted there.  A person whose page does not come opens the link again, as people do.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench.post import Office
from giftpad.cli.demo_gifts import HOME, Browser
from giftpad.cli.demo_steps import DemoFailed, check
from tests.chaos.journal import Journal
from tests.chaos.line import Caller, Line

TENANT = "hanamaru"
DOMAIN = "chaos.example"
MAILED, BY_LINK = 10, 2
SHARES = {"issued": (100, 1_100), "mailed": (400, 0)}
"""Letters and links of an order whose worker is to be killed in the middle of issuing, some chunks,
or of mailing.  Each letter more has to be sent before those of the next order."""
PATIENCE_S = 180.0
LOOK_S = 0.5
CLAIMED = re.compile(r"G-[0-9A-Z]{5,}")
"""The number of a claim, on the page of whoever made it."""


@dataclass(kw_only=True)
class Giver:
    """The company: who asks for it, what it sends, where its letters arrive."""

    caller: Caller
    course_id: str
    office: Office
    port: int
    clock_moves: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def body(self, mailed: int, by_link: int = 0) -> dict[str, Any]:
        """Return an order for people of whom nobody has ever had a gift."""
        run = uuid.uuid4().hex[:12]
        people = [
            {"name": f"見本 {n}", "mail": f"{run}-{n}@{DOMAIN}", "channel": "mail"}
            for n in range(mailed)
        ]
        people += [{"name": f"手渡し {n}", "channel": "link"} for n in range(by_link)]
        return {
            "title": f"お歳暮 {run}",
            "design": "musubi",
            "sender_name": "株式会社はなまる",
            "message": "一年間ありがとうございました。",
            "course_id": self.course_id,
            "channel": "mail",
            "recipients": people,
        }

    def letters(self) -> Counter[str]:
        """Return how many letters each person has got by now."""
        with self.lock:
            self.office.look()
            return Counter(to for _, to, _ in self.office.mails if to.endswith(DOMAIN))


def place(line: Line, giver: Giver, mailed: int, by_link: int = 0) -> str:
    """Order gifts and return the order's id."""
    body = giver.body(mailed, by_link)
    key = line.new_key()
    answer = line.insist("POST", "/api/v1/gift-orders", body, key=key, kind="gift")
    if answer.status != 202:
        line.journal.complain(f"gift order: {answer.status} {answer.body}")
    return str(answer.body.get("id", ""))


def give(line: Line, giver: Giver, stop: threading.Event) -> Iterator[float]:
    """Order, hand over, receive, thank, take back, again and again."""
    path = "/api/v1/gift-orders"
    for number in range(1_000_000):
        yield 0.5  # whoever is told to end does so at a pause
        order_id = place(line, giver, MAILED, BY_LINK)
        if not order_id or not _wait_sent(line, f"{path}/{order_id}", stop):
            continue
        links = line.insist("GET", f"{path}/{order_id}/links").body.get("items", [])
        if len(links) != BY_LINK:
            line.journal.complain(f"order {order_id}: {len(links)} links for {BY_LINK} gifts")
            continue
        yield 0.2
        _receive(giver, links[0]["link"], line.journal, stop)
        yield 0.2
        _take_back_one(line, order_id)
        if number % 2:
            key = line.new_key()
            line.insist(
                "POST", f"{path}/{order_id}/cancel", {"reason": "chaos"}, key=key, kind="gift_act"
            )
        line.journal.note("gift rounds")


def _wait_sent(line: Line, path: str, stop: threading.Event) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not stop.is_set():
        order = line.insist("GET", path).body
        if order["state"] == "sent" and order["issued"] == order["quantity"]:
            return True
        if time.monotonic() > deadline:
            line.journal.note("gift orders that took long")
            return False
        stop.wait(LOOK_S)
    return False


def _receive(giver: Giver, link: str, journal: Journal, stop: threading.Event) -> None:
    """Open a gift, choose, say where to, and say thank you; begin again where a page is missing."""
    path = link[link.index("/g/") :]
    moves, deadline = giver.clock_moves, time.monotonic() + PATIENCE_S
    holder, said = Browser(f"http://127.0.0.1:{giver.port}"), ""
    while not stop.is_set() and time.monotonic() < deadline:
        try:
            if not CLAIMED.search(holder.get(path)):
                _claim(holder)
                journal.note("gifts claimed")
            if 'action="/g/thanks"' in holder.get("/g"):
                holder.send("/g/thanks", {"stamp": "delighted", "words": "ありがとう。"})
                journal.note("gifts thanked for")
        except DemoFailed as error:
            said = str(error)
            stop.wait(LOOK_S)
            continue
        return
    if not stop.is_set() and moves == giver.clock_moves:
        journal.complain(f"a gift could not be received: {said[:300]}")


def _claim(holder: Browser) -> None:
    """Choose the first thing that is sent by post to anybody, and confirm.

    Raises: DemoFailed.
    """
    products = dict.fromkeys(re.findall(r'href="(/g/products/[0-9a-f-]+)', holder.get("/g/choose")))
    for product in products:
        page = holder.get(product)
        variant = re.search(r'name="variant"[^>]*value="([^"]*)"', page)
        if "Nothing is sent by post" in page or 'name="of_age"' in page or variant is None:
            continue
        holder.send(product, {"variant": variant[1]})
        if holder.where.startswith(("/g/address", "/g/review")):
            break
    if holder.where.startswith("/g/address"):
        holder.send("/g/address", HOME)
    page = holder.send("/g/review", {})
    check(bool(CLAIMED.search(page)), "no number after claiming")


def _take_back_one(line: Line, order_id: str) -> None:
    """Take back the first gift of an order, which goes by mail and is not claimed."""
    gifts = line.insist("GET", f"/api/v1/gift-orders/{order_id}/gifts?limit=1").body["items"]
    path = f"/api/v1/gifts/{gifts[0]['id']}/cancel"
    done = line.insist("POST", path, {"reason": "chaos"}, key=line.new_key(), kind="gift_act")
    if done.status >= 300:
        line.journal.complain(f"{path}: {done.status} {done.body}")
