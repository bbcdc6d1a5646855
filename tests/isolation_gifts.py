"""A recipe for each page of gifts."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from giftpad import gifts
from giftpad.kernel.work import unit_of_work
from tests import isolation_operator, pump
from tests.isolation_made_gifts import (
    bounced,
    coded,
    company,
    draft,
    empty,
    gift,
    issuing,
    mailed,
    parcel,
    sent,
    waiting,
)
from tests.isolation_people import Pages
from tests.isolation_recipe import (
    OK,
    SENT_ON,
    UNPROCESSABLE,
    Recipe,
)
from tests.isolation_recipe import at as _at
from tests.isolation_recipe import form as _form
from tests.isolation_recipe import plain as _plain
from tests.isolation_world import Call, Side
from tests.make_gifts import FEES, VALUE

Make = Callable[[Pages], Call]


def _of(kind: Callable[[Side], str], called: str = "order_id", **data: object) -> Make:
    return lambda p: Call(path={called: kind(p.home.side)}, data=_form(**data) if data else None)


def _keyed(kind: Callable[[Side], str], called: str = "order_id") -> Make:
    return lambda p: Call(path={called: kind(p.home.side)}, data=_form())


def _decided(kind: Callable[[Side], str]) -> Make:
    """Decide about an order as a page shows it."""

    def make(pages: Pages) -> Call:
        side = pages.home.side
        order_id = kind(side)
        order = company(side).order(UUID(order_id))
        total = order.total_minor or 2 * (VALUE + FEES["link"])
        seen = f"{order.changed_at.isoformat()} {total}"
        return Call(path={"order_id": order_id}, data=_form(seen=seen))

    return make


def _goods(pages: Pages) -> Call:
    side = pages.home.side
    course = str(company(side).course_id)
    return Call(path={"order_id": draft(side)}, data=_form(course=course))


def _claim_by(pages: Pages) -> Call:
    side = pages.home.side
    order_id = draft(side)
    with unit_of_work(side.scope) as work:
        last = work.at.date().replace(day=1)
    day = last.fromordinal(last.toordinal() + 60).isoformat()
    return Call(path={"order_id": order_id}, data=_form(start="now", claim_by=day))


PEOPLE_FILE = "氏名,送り方\n見本 太郎,リンク\n".encode()
CARRIER_FILE = "お届け番号,伝票番号,運送会社\nG-ZZZZZ,1111,架空便\n".encode()


def _hand_in(pages: Pages) -> Call:
    fields = _form(channel="link", replaces="no", by="file", file=PEOPLE_FILE)
    return Call(path={"order_id": draft(pages.home.side)}, data=fields)


def _kept(**data: object) -> Make:
    def make(pages: Pages) -> Call:
        order_id = draft(pages.home.side)
        with unit_of_work(pages.home.side.scope) as work:
            gifts.keep_file(work, UUID(order_id), "お客さま,番号\n見本 太郎,1\n".encode("cp932"))
        return Call(path={"order_id": order_id}, data=_form(**data) if data else None)

    return make


def _cards(pages: Pages) -> Call:
    order_id = sent(pages.home.side, "card")
    pump.pump(pages.world.settings)
    return Call(path={"order_id": order_id, "number": 1})


def _kit(pages: Pages) -> Call:
    order_id = sent(pages.home.side, "card")
    pump.pump(pages.world.settings)
    return Call(path={"order_id": order_id})


def _extend(pages: Pages) -> Call:
    side = pages.home.side
    gift_id = gift(side)
    with unit_of_work(side.scope) as work:
        last = gifts.get_gift(work, UUID(gift_id)).claim_by
    later = last.fromordinal(last.toordinal() + 10).isoformat()
    return Call(path={"gift_id": gift_id}, data=_form(claim_by=later, words="休暇"))


def _tracking(_: Pages) -> Call:
    return Call(data=_form(supplier="みほん農園", file=CARRIER_FILE))


def _listed(pages: Pages) -> Call:
    parcel(pages.home.side)
    return Call(data=_form(supplier="みほん農園"))


def _list_file(pages: Pages) -> Call:
    parcel(pages.home.side)
    with unit_of_work(pages.home.side.scope) as work:
        list_id, _ = gifts.take_list(work, "みほん農園")
    return Call(path={"list_id": str(list_id)})


def _card(side: Side) -> str:
    return gift(side, "card")


LOST: dict[str, object] = {"channel": "card", "why": "lost"}
WHY = {"why": "left us"}
SUPPLIER: dict[str, object] = {"supplier": "みほん農園"}
LETTER: dict[str, object] = {
    "title": "お歳暮",
    "design": "musubi",
    "sender_name": "見本商事",
    "message": "ありがとうございます。",
    "locale": "ja",
}
ALL = "/desk/gifts"
ORDER = f"{ALL}/<uuid:order_id>"
PEOPLE = f"{ORDER}/recipients"
GIFT = f"{ALL}/one/<uuid:gift_id>"
SHIPPING = f"{ALL}/shipping"
CLAIM = f"{SHIPPING}/claims/<uuid:claim_id>"
PAGES: dict[str, list[Recipe]] = {
    **isolation_operator.PAGES,
    f"GET {ALL}": [_at(_plain(), stranger=OK)],
    # A draft of their own: its address is as new as that of the next one.
    f"POST {ALL}": [_at(lambda _: Call(data=_form()), status=SENT_ON, stranger=SENT_ON)],
    f"GET {ORDER}": [_at(_of(sent)), _at(_of(waiting)), _at(_of(draft), status=SENT_ON)],
    f"GET {ORDER}/design": [_at(_of(draft))],
    f"POST {ORDER}/design": [_at(_of(draft, **LETTER), status=SENT_ON)],
    f"GET {ORDER}/preview": [_at(_of(draft))],
    f"POST {ORDER}/preview": [_at(_of(draft, **LETTER))],
    f"GET {ORDER}/goods": [_at(_of(draft))],
    f"POST {ORDER}/goods": [_at(_goods, status=SENT_ON)],
    f"GET {PEOPLE}": [_at(_of(draft))],
    f"POST {PEOPLE}": [_at(_hand_in, status=SENT_ON)],
    f"GET {PEOPLE}/columns": [_at(_kept())],
    f"POST {PEOPLE}/columns": [_at(_kept(field="name", heading="yes"), status=SENT_ON)],
    f"POST {PEOPLE}/one": [_at(_of(draft, name="見本 花子"), status=SENT_ON)],
    f"POST {PEOPLE}/codes": [_at(_of(empty, count="3", go="codes"), status=SENT_ON)],
    f"POST {PEOPLE}/mend": [_at(_keyed(draft), status=SENT_ON)],
    f"POST {PEOPLE}/leave-out": [_at(_of(draft, line="2"), status=SENT_ON)],
    f"POST {PEOPLE}/repeats": [_at(_of(draft, go="mean"), status=SENT_ON)],
    f"GET {PEOPLE}/corrected.csv": [_at(_of(draft))],
    f"GET {ALL}/recipients-sample.csv": [_at(_plain(), stranger=OK)],
    f"GET {ALL}/recipients-sample.xlsx": [_at(_plain(), stranger=OK)],
    f"GET {ORDER}/when": [_at(_of(draft))],
    f"POST {ORDER}/when": [_at(_claim_by, status=SENT_ON)],
    f"GET {ORDER}/check": [_at(_of(draft))],
    f"POST {ORDER}/submit": [_at(_decided(draft), status=SENT_ON)],
    f"POST {ORDER}/sample": [_at(_keyed(draft), status=SENT_ON)],
    f"POST {ORDER}/approve": [_at(_decided(waiting), status=SENT_ON)],
    f"POST {ORDER}/send-back": [_at(_of(waiting, reason="金額"), status=SENT_ON)],
    f"POST {ORDER}/withdraw": [_at(_keyed(waiting), status=SENT_ON)],
    f"GET {ORDER}/discard": [_at(_of(draft))],
    f"POST {ORDER}/discard": [_at(_keyed(draft), status=SENT_ON)],
    f"GET {ORDER}/progress": [_at(_of(sent))],
    f"GET {ORDER}/report.csv": [_at(_of(sent))],
    f"GET {ORDER}/report.xlsx": [_at(_of(sent))],
    f"GET {ORDER}/links.csv": [_at(_of(sent))],
    f"GET {ORDER}/codes.csv": [_at(_of(coded))],
    f"GET {ORDER}/invoice.pdf": [_at(_of(sent))],
    f"GET {ORDER}/cards/<int:number>.pdf": [_at(_cards)],
    f"GET {ORDER}/cards/print-house.zip": [_at(_kit)],
    f"POST {ORDER}/cards/print-again": [_at(_keyed(sent), status=SENT_ON)],
    f"GET {ORDER}/stop": [_at(_of(sent))],
    f"POST {ORDER}/stop": [_at(_of(issuing, **WHY), status=SENT_ON)],
    f"GET {ORDER}/cancel-rest": [_at(_of(sent))],
    f"POST {ORDER}/cancel-rest": [_at(_of(sent, **WHY), status=SENT_ON)],
    f"GET {ORDER}/remind": [_at(_of(sent))],
    f"POST {ORDER}/remind": [_at(_of(mailed, show="all", seen="2"), status=SENT_ON)],
    f"GET {GIFT}/replace": [_at(_of(_card, "gift_id"))],
    f"POST {GIFT}/replace": [_at(_of(_card, "gift_id", **LOST), status=SENT_ON)],
    f"GET {GIFT}": [_at(_of(gift, "gift_id"))],
    f"GET {GIFT}/resend": [_at(_of(gift, "gift_id"))],
    f"POST {GIFT}/resend": [_at(_keyed(bounced, "gift_id"), status=SENT_ON)],
    f"GET {GIFT}/address": [_at(_of(gift, "gift_id"))],
    f"POST {GIFT}/address": [_at(_of(gift, "gift_id", channel="link"), status=SENT_ON)],
    f"GET {GIFT}/extend": [_at(_of(gift, "gift_id"))],
    f"POST {GIFT}/extend": [_at(_extend, status=SENT_ON)],
    f"GET {GIFT}/cancel": [_at(_of(gift, "gift_id"))],
    f"POST {GIFT}/cancel": [_at(_of(gift, "gift_id", **WHY), status=SENT_ON)],
    f"POST {GIFT}/link": [_at(_keyed(gift, "gift_id"))],
    f"GET {SHIPPING}": [_at(_plain(), stranger=OK)],
    f"GET {SHIPPING}/list": [_at(lambda _: Call(query=SUPPLIER), stranger=OK)],
    f"GET {SHIPPING}/lists/<uuid:list_id>.csv": [_at(_list_file)],
    f"POST {SHIPPING}/listed": [_at(_listed, status=SENT_ON, stranger=SENT_ON)],
    f"GET {SHIPPING}/columns": [_at(lambda _: Call(query=SUPPLIER), stranger=OK)],
    f"POST {SHIPPING}/columns": [_at(_plain(**SUPPLIER), status=SENT_ON, stranger=SENT_ON)],
    f"GET {SHIPPING}/tracking": [_at(lambda _: Call(query=SUPPLIER), stranger=OK)],
    f"POST {SHIPPING}/tracking": [_at(_tracking, status=UNPROCESSABLE, stranger=UNPROCESSABLE)],
    f"GET {CLAIM}": [_at(_of(parcel, "claim_id"))],
    f"POST {CLAIM}": [
        _at(_of(lambda s: parcel(s, shipped=True), "claim_id", act="arrived"), status=SENT_ON)
    ],
    f"POST {CLAIM}/choose-again": [
        _at(_of(parcel, "claim_id", why="not to be had"), status=SENT_ON)
    ],
}
