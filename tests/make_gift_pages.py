"""Gift orders through the pages, as people of a company make them."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from giftpad import audit, gifts, ledger
from giftpad.kernel.clock import local_date
from giftpad.kernel.config import Settings
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.make_gifts import HOME, make_course
from tests.make_pages import Browser, Site, hidden, make_site
from tests.pump import pump

PEOPLE = "氏名,メール,管理番号\n山田 花子,hana@example.com,A-1\n鈴木 一,hajime@example.com,A-2\n"
MESSAGE = "一年間ありがとうございました。"


def make_company(settings: Settings, folder: Path) -> Company:
    """Put the company of the house's pack on the web."""
    site = make_site(settings, folder, slug="hanamaru")
    course_id, variants = make_course(site.scope, stock=1000)
    return Company(site, course_id, variants)


@dataclass
class Company:
    """A company that sends gifts, and those at its desk, who read English."""

    site: Site
    course_id: UUID
    variants: list[UUID]

    def person(self, role: str) -> Browser:
        """Return somebody with a role."""
        browser = self.site.person(role)
        browser.headers["Accept-Language"] = "en"
        return browser

    def claim(self, gift_id: UUID, **more: Any) -> UUID:
        """Choose the first thing there is with a gift, and return the claim."""
        order = gifts.ClaimOrder(
            gift_id=gift_id,
            key=new_id().hex,
            variant_id=self.variants[0],
            address=replace(HOME, **more),
        )
        with unit_of_work(self.site.scope) as work:
            return gifts.claim(work, order)

    def budget(self) -> int:
        """Return what can be spent."""
        with unit_of_work(self.site.scope) as work:
            return gifts.get_budget(work)

    def order(self, order_id: UUID) -> gifts.OrderView:
        """Return an order as it stands."""
        with unit_of_work(self.site.scope) as work:
            return gifts.get_order(work, order_id)

    def gifts(self, order_id: UUID) -> tuple[gifts.GiftView, ...]:
        """Return the gifts of an order."""
        with unit_of_work(self.site.scope) as work:
            return gifts.list_gifts(work, order_id).items

    def actions(self, subject: str) -> list[str]:
        """Return what is on record of a gift or an order."""
        with unit_of_work(self.site.scope) as work:
            wanted = audit.EntryFilter(subjects=(subject,))
            return [entry.action for entry in audit.list_entries(work, wanted)]

    def differences(self) -> list[str]:
        """Return what is wrong in the books, by every proof there is."""
        with unit_of_work(self.site.scope) as work:
            return [str(each) for each in (*ledger.verify(work), *gifts.verify(work))]

    def begin(self, browser: Browser) -> UUID:
        """Begin an order by the button in the list, and return its id."""
        assert browser.get("/desk/gifts").status_code == 200
        answer = browser.post("/desk/gifts", {"key": browser.key()})
        return UUID(answer.headers["Location"].split("/")[3])

    def prepare(self, browser: Browser, people: str = PEOPLE, **more: Any) -> UUID:
        """Prepare an order up to its last step."""
        order_id = self.begin(browser)
        fields = {
            "title": "年末のごあいさつ",
            "design": "musubi",
            "sender_name": "株式会社はなまる",
            "message": MESSAGE,
            "locale": "ja",
        }
        assert browser.post(path(order_id, "/design"), fields | more).status_code == 303
        answer = browser.post(path(order_id, "/goods"), {"course": str(self.course_id)})
        assert answer.status_code == 303, answer.text
        answer = hand_in(browser, order_id, people)
        assert answer.status_code == 303, answer.text
        with unit_of_work(self.site.scope) as work:
            last = local_date(work.at, "Asia/Tokyo") + timedelta(days=60)
        answer = browser.post(
            path(order_id, "/when"), {"start": "now", "claim_by": last.isoformat()}
        )
        assert answer.status_code == 303, answer.text
        return order_id

    def submit(self, browser: Browser, order_id: UUID) -> TestResponse:
        """Hand an order in."""
        browser.get(path(order_id, "/check"))
        return browser.post(path(order_id, "/submit"), decision(browser))

    def sent(self, people: str = PEOPLE) -> UUID:
        """Return an order whose gifts are out."""
        return self.send(self.prepare(self.person("issuer"), people))

    def send(self, order_id: UUID) -> UUID:
        """Hand an order in, have it approved where it must be, and return it when it is out."""
        self.submit(self.person("issuer"), order_id)
        if self.order(order_id).state == "submitted":
            approver = self.person("approver")
            approver.get(path(order_id))
            approver.post(path(order_id, "/approve"), decision(approver))
        self.work_off()
        assert self.order(order_id).state == "sent"
        return order_id

    def work_off(self) -> None:
        """Let all that was ordered be done."""
        pump(self.site.settings)


def decision(browser: Browser) -> dict[str, str]:
    """Return what the form that submits or approves holds on the page seen last."""
    assert browser.last is not None
    seen = hidden(browser.last.text, "seen")
    return {"key": browser.key(), "seen": seen}


def path(order_id: UUID, more: str = "") -> str:
    """Return the address of a page of an order."""
    return f"/desk/gifts/{order_id}{more}"


def hand_in(
    browser: Browser, order_id: UUID, people: str | bytes, *, name: str = "people.csv", **more: Any
) -> TestResponse:
    """Hand in a file of people."""
    data = people.encode() if isinstance(people, str) else people
    fields = {"channel": "mail", "replaces": "no", "by": "file", "key": new_id().hex}
    return browser.post(
        path(order_id, "/recipients"), fields | more | {"file": (io.BytesIO(data), name)}
    )
