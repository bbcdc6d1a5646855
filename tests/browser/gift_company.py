"""What the pages of gifts show, made by the doors of the house against a running Giftpad.

    python -m tests.browser.gift_company

Prints what there is by the names that sights ask for, as JSON.  Not by clicking: that would take
minutes for each worker, and what is over cannot be made by clicking at all.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import catalog, coupons, gifts, identity, payments, programmes, shops
from giftpad.cli import connect
from giftpad.cli.scopes import tenant_scopes
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, unit_of_work
from tests.browser.scenes import FIRM
from tests.make_gifts import HOME

MESSAGE = (
    "今年もたいへんお世話になりました。\n"
    "日頃の感謝をこめて、心ばかりの品をお贈りします。\n"
    "来年もどうぞよろしくお願いいたします。"
)
NAMES = ("見本 花子", "見本 太郎", "試験 さくら", "仮名 健一", "長谷川小路 ほのか", "Anna Sample")
COURSE, VALUE_MINOR = "5,000", 5000
SPARE, PARCELS = 60, 4
PURSES, PASSED = 48, 28
AMOUNT_MINOR = 12_000
MANY = 2100
"""People whose gifts cost more than the demonstration's company may spend."""
STREET = "東京都千代田区千代田1-"
SUPPLIER = "架空雑貨 くらしや"


@dataclass(frozen=True, kw_only=True)
class Office:
    """The people of the company who order and approve."""

    issuer: Scope
    approver: Scope
    course_id: UUID
    products: dict[str, UUID]


def main() -> None:
    """Make everything and print what it is called."""
    if sys.argv[1:2] == ["moving"]:
        office = _open_office()
        count = int(sys.argv[2])
        print(json.dumps({"issuing": str(_ordered(office, "年末のごあいさつ", count))}))
        return
    office = _open_office()
    makers = (_drafts, _board, _reminded, _links, _parcels, _papers, _purses, _passing)
    print(json.dumps({name: made for make in makers for name, made in make(office).items()}))


def _open_office() -> Office:
    connect()
    ((_, scope),) = tenant_scopes(FIRM)
    people = {each.role: each.person_id for each in identity.list_members(scope)}
    with unit_of_work(scope) as work:
        course = next(
            each for each in catalog.list_courses(work) if each.price_minor == VALUE_MINOR
        )
        choices = catalog.list_choices(work, course.id, limit=50).items
        codes = {
            catalog.get_product(work, each.product_id).code: each.product_id for each in choices
        }
    return Office(
        issuer=_as(scope, people["issuer"]),
        approver=_as(scope, people["approver"]),
        course_id=course.id,
        products=codes,
    )


def _as(scope: Scope, person_id: UUID) -> Scope:
    return replace(scope, actor=Actor(kind="person", id=str(person_id), client_id="desk"))


def _draft(office: Office, title: str, **more: Any) -> UUID:
    said = {
        "title": title,
        "design": "tsubaki",
        "sender_name": "株式会社はなまる",
        "message": MESSAGE,
        "course_id": office.course_id,
        "channel": "link",
    }
    with unit_of_work(office.issuer) as work:
        return gifts.draft_order(work, gifts.OrderDraft(**said | more))


def _people(count: int, channels: tuple[str, ...] = ("link",)) -> list[gifts.Cells]:
    run = new_id().hex[-8:]
    return [
        gifts.Cells(
            line=at + 2,
            cells={
                "name": NAMES[at % len(NAMES)],
                "mail": f"sample-{at}-{run}@example.com",
                "phone": f"0900000{at:04d}",
                "channel": channels[at % len(channels)],
                "external_id": f"{run}-{at}",
                "postcode": "100-0001",
                "street": f"{STREET}{at + 1}",
            },
        )
        for at in range(count)
    ]


def _filled(office: Office, title: str, people: list[gifts.Cells], **more: Any) -> UUID:
    order_id = _draft(office, title, **more)
    with unit_of_work(office.issuer, patience_s=60) as work:
        gifts.take_recipients(work, order_id, people, replaces=True)
    return order_id


def _ordered(office: Office, title: str, count: int, *channels: str, **more: Any) -> UUID:
    """Return an order that is approved; whoever runs the jobs issues it."""
    order_id = _filled(office, title, _people(count, channels or ("link",)), **more)
    with unit_of_work(office.issuer) as work:
        state = gifts.submit_order(work, order_id)
    if state == "submitted":
        with unit_of_work(office.approver) as work:
            gifts.approve_order(work, order_id)
    return order_id


def _coded(office: Office, title: str, count: int, *, is_made: bool = True) -> UUID:
    """Return an order of codes without names, a draft of it or all of them made."""
    from giftpad.gifts.handlers import issue_due_gifts

    order_id = _draft(office, title)
    with unit_of_work(office.issuer) as work:
        gifts.order_codes(work, order_id, count)
        if not is_made:
            return order_id
        state = gifts.submit_order(work, order_id)
    if state == "submitted":
        with unit_of_work(office.approver) as work:
            gifts.approve_order(work, order_id)
    issue_due_gifts(office.issuer, gifts.GiftsDue(object_id=order_id))
    return order_id


def _sent(office: Office, title: str, count: int, *channels: str, **more: Any) -> UUID:
    from giftpad.gifts.handlers import issue_due_gifts  # as the worker does, who may be faster

    order_id = _ordered(office, title, count, *channels, **more)
    issue_due_gifts(office.issuer, gifts.GiftsDue(object_id=order_id))
    return order_id


def _drafts(office: Office) -> dict[str, Any]:
    """Make orders in every state before their gifts go out."""
    submitted = _filled(office, "創立20周年の記念品", _people(24, ("mail", "sms", "card")))
    with unit_of_work(office.issuer) as work:
        gifts.submit_order(work, submitted)
    refused = _filled(office, "お中元", _people(30))
    with unit_of_work(office.issuer) as work:
        gifts.submit_order(work, refused)
    with unit_of_work(office.approver) as work:
        gifts.send_back(
            work, refused, reason="送り主の名前が古いままです。新しい社名に直してください。"
        )
    with unit_of_work(office.issuer) as work:
        later = work.at + timedelta(days=9)
    same = _people(2, ("mail",))
    twice = [*same, replace(same[0], line=9, cells=same[0].cells | {"external_id": "T-9"})]
    return {
        "coded": str(_coded(office, "株主優待 2027", 300, is_made=False)),
        "codes_too_many": str(_coded(office, "全国抽せん", 1_000_000, is_made=False)),
        "full": str(_filled(office, "年末のごあいさつ", _people(30, ("mail", "sms", "card")))),
        "too_much": str(_filled(office, "全社員への贈りもの", _people(MANY))),
        "twice": str(_filled(office, "お年賀", twice, channel="mail")),
        "submitted": str(submitted),
        "refused": str(refused),
        "approved": str(_ordered(office, "新年のごあいさつ", 24, send_at=later)),
    }


def _gifts(office: Office, order_id: UUID) -> list[gifts.GiftView]:
    with unit_of_work(office.issuer) as work:
        return list(gifts.list_gifts(work, order_id, limit=200).items)


def _claim(office: Office, gift_id: UUID, code: str = "HM-BEEF") -> UUID:
    with unit_of_work(office.issuer) as work:
        variants = catalog.get_product(work, office.products[code]).variants
        order = gifts.ClaimOrder(
            gift_id=gift_id, key=new_id().hex, variant_id=variants[0].id, address=HOME
        )
        return gifts.claim(work, order)


def _end(office: Office, gift_id: UUID) -> None:
    """Let a gift's last day be over."""
    with unit_of_work(office.issuer) as work:
        work.session.execute(
            sa.text("UPDATE gifts SET ends_at = :at WHERE tenant_id = :tenant AND id = :id"),
            {"at": work.at - timedelta(days=1), "tenant": work.tenant_id, "id": gift_id},
        )


def _board(office: Office) -> dict[str, Any]:
    """Make an order of which everything can be said, with parcels under way."""
    order_id = _sent(office, "お世話になった方へ", 18, "mail", "link", "mail", "sms", "card")
    by_hand = [each for each in _gifts(office, order_id) if each.channel in ("link", "card")]
    others = [each for each in _gifts(office, order_id) if each.channel == "mail"]
    with unit_of_work(office.issuer) as work:
        for each in (*by_hand[:4], *others[:2]):
            gifts.note_opened(work, each.id)
    claims = [_claim(office, each.id) for each in by_hand[:PARCELS]]
    with unit_of_work(office.issuer) as work:
        gifts.thank(
            work, by_hand[0].id, stamp="delighted", words="家族みんなで、おいしくいただきます。"
        )
        gifts.thank(work, by_hand[1].id, stamp="thanks", words="")
        gifts.cancel_gift(work, others[2].id, reason="退職のため")
        for each, went in ((others[3], "bounced"), (others[4], "unknown")):
            work.session.execute(
                sa.text(
                    "UPDATE gifts SET delivery = :went, message_id = NULL"
                    " WHERE tenant_id = :tenant AND id = :id"
                ),
                {"went": went, "tenant": work.tenant_id, "id": each.id},
            )
    codes = _coded(office, "株主優待 2026", 40)
    drawn, lost = _gifts(office, codes)[:2]
    _claim(office, drawn.id)
    with unit_of_work(office.issuer) as work:
        gifts.thank(work, drawn.id, stamp="thanks", words="大切に使わせていただきます。")
    return {
        "board": str(order_id),
        "codes": str(codes),
        "gift_code": str(lost.id),
        "fresh": str(_sent(office, "開店のお祝い", 3)),
        "gift_open": str(by_hand[5].id),
        "gift_claimed": str(by_hand[0].id),
        "gift_cancelled": str(others[2].id),
        "gift_bounced": str(others[3].id),
        "claim": str(claims[0]),
    }


def _reminded(office: Office) -> dict[str, Any]:
    """Make an order whose letters came the other day; one person was just reminded."""
    order_id = _sent(office, "上半期のお礼", 14, "mail", "mail", "sms", "link")
    with unit_of_work(office.issuer) as work:
        work.session.execute(
            sa.text(
                "UPDATE gifts SET delivery = 'delivered',"
                " queued_at = queued_at - interval '2 days', hand_reminded_at ="
                " CASE WHEN number = 7 THEN ARRAY[queued_at, queued_at] ELSE '{}' END"
                " WHERE tenant_id = :tenant AND order_id = :order AND channel IN ('mail', 'sms')"
            ),
            {"tenant": office.issuer.tenant_id, "order": order_id},
        )
    taken_back, reminded = _gifts(office, order_id)[:2]
    with unit_of_work(office.issuer) as work:
        gifts.cancel_gift(work, taken_back.id, reason="退職のため")
        selection = gifts.Selection(order_id=order_id, word=str(reminded.number))
        gifts.begin_reminding(work, selection)
    return {"reminded": str(order_id), "gift_reminded": str(reminded.id)}


def _links(office: Office) -> dict[str, Any]:
    """Make gifts in the hands of people; links by how they stand, and many to be spent."""
    spare = _gifts(office, _sent(office, "一年の感謝をこめて", SPARE))
    expired, cancelled, elsewhere, again = (each.id for each in spare[:4])
    _end(office, expired)
    with unit_of_work(office.issuer) as work:
        gifts.cancel_gift(work, cancelled, reason="まちがえて送ったため")
    _claim(office, elsewhere)
    claim_id = _claim(office, again)
    with unit_of_work(office.issuer) as work:
        gifts.choose_again(work, claim_id, reason="品切れのため")
    coded = _gifts(office, _coded(office, "ご来場の皆さまへ", 3))
    with unit_of_work(office.issuer) as work:
        links = [gifts.get_link(work, each.id) for each in spare]
    named = dict(zip(("expired", "cancelled", "elsewhere", "again", "open"), links, strict=False))
    waiting = _gifts(office, _sent(office, "お誕生日おめでとうございます", 1))[0]
    with unit_of_work(office.issuer) as work:
        named["waiting"] = gifts.get_link(work, waiting.id)
        named["code"] = gifts.get_link(work, coded[0].id)
        named["code_replaced"] = gifts.get_link(work, coded[1].id)
        gifts.replace_code(work, coded[1].id, reason="lost")
        work.session.execute(
            sa.text("UPDATE gift_orders SET send_at = :at WHERE tenant_id = :tenant AND id = :id"),
            {
                "at": work.at + timedelta(days=30),
                "tenant": work.tenant_id,
                "id": waiting.order_id,
            },
        )
    return {
        "links": named,
        "spare": links[5:],
        "products": {code: str(found) for code, found in office.products.items()},
    }


def _parcels(office: Office) -> dict[str, Any]:
    """Let a supplier have parcels in every state, and lists that were taken out."""
    given = _gifts(office, _sent(office, "夏のごあいさつ", 6))
    claims = [_claim(office, each.id, "HM-TOWEL") for each in given]
    with unit_of_work(office.issuer) as work:
        gifts.take_list(work, SUPPLIER)
    with unit_of_work(office.issuer) as work:
        parcels = [gifts.get_parcel(work, each) for each in claims]
        sent = [
            gifts.Shipped(
                line=at, number=each.claim.number, carrier="架空便", tracking=f"1111-2222-000{at}"
            )
            for at, each in enumerate(parcels[:3])
        ]
        gifts.note_shipped(work, sent)
        gifts.note_arrived(work, claims[1])
        gifts.note_returned(work, claims[2], reason="転居先が分からないため")
    _claim(office, _gifts(office, _sent(office, "内祝い", 1))[0].id, "HM-TOWEL")
    return dict(
        zip(
            ("claim_shipped", "claim_arrived", "claim_returned", "claim_listed"),
            map(str, claims),
            strict=False,
        )
    )


def _papers(office: Office) -> dict[str, Any]:
    """Make cards and letters on paper, one of them lost and replaced."""
    order_id = _sent(office, "還暦のお祝い", 12, "card", "letter")
    cards = [each for each in _gifts(office, order_id) if each.channel == "card"]
    with unit_of_work(office.issuer) as work:
        lost = gifts.get_link(work, cards[1].id)
        gifts.replace_card(work, cards[1].id, reason="紛失のため")
    return {
        "printed": str(order_id),
        "gift_card": str(cards[0].id),
        "gift_replaced": str(cards[1].id),
        "link_replaced": lost,
    }


def _purses(office: Office) -> dict[str, Any]:
    """Make balances: untouched, in part used, kept and paid with; many more to be spent."""
    with unit_of_work(office.issuer) as work:
        programme = next(each for each in programmes.list_programmes(work).items if each.gifts)
    amount = {"kind": "balance", "amount_minor": AMOUNT_MINOR, "programme_id": programme.id}
    order_id = _sent(office, "永年勤続のお祝い", PURSES, **amount)
    given = _gifts(office, order_id)
    untouched, in_part, kept, ended = (each.id for each in given[:4])
    for each in (in_part, ended):
        _buy(office, each, "HM-TOWEL", "HM-FOREST")
    _keep(office, kept, spends_minor=(800, 450))
    for_shops = _gifts(
        office, _sent(office, "食堂で使える贈りもの", 1, **amount | {"course_id": None})
    )
    with unit_of_work(office.issuer) as work:
        gifts.note_opened(work, in_part)
        gifts.cancel_gift(work, ended, reason="退職のため")
        links = [gifts.get_link(work, each.id) for each in given]
        link_for_shops = gifts.get_link(work, for_shops[0].id)
    return {
        "purse_draft": str(_filled(office, "永年勤続のお祝い", _people(8), **amount)),
        "purses": str(order_id),
        "gift_purse": str(untouched),
        "gift_in_part": str(in_part),
        "gift_kept": str(kept),
        "gift_rest_ended": str(ended),
        "purse": links[0],
        "purse_in_part": links[1],
        "purse_kept": links[2],
        "purse_for_shops": link_for_shops,
        "spare_purses": links[4:],
    }


def _buy(office: Office, gift_id: UUID, *codes: str) -> None:
    with unit_of_work(office.issuer) as work:
        products = [catalog.get_product(work, office.products[code]) for code in codes]
        order = gifts.BasketOrder(
            gift_id=gift_id,
            key=new_id().hex,
            variant_ids=tuple(each.variants[0].id for each in products),
            total_minor=sum(each.price_minor for each in products),
            address=HOME,
        )
        gifts.claim_items(work, order)


def _keep(office: Office, gift_id: UUID, *, spends_minor: tuple[int, ...]) -> None:
    """Keep a balance for shops and pay with it in one."""
    with unit_of_work(office.issuer) as work:
        gifts.keep(work, gifts.KeepOrder(gift_id=gift_id, key=new_id().hex))
    with unit_of_work(office.issuer) as work:
        (kept,) = gifts.get_letter(work, gift_id).kept
        screen = coupons.get_screen(work, kept.locator)
        shop = shops.list_shops(work, shops.ShopFilter()).items[0]
    for amount_minor in spends_minor:
        order = payments.PayOrder(
            kind="coupon",
            code=screen.qr_text,
            shop_id=shop.id,
            amount_minor=amount_minor,
            key=new_id().hex,
            request_hash=b"paid",
        )
        payments.pay(office.issuer, order)


def _passing(office: Office) -> dict[str, Any]:
    """Make gifts that may be passed on, one of which was."""
    given = _gifts(office, _sent(office, "おすそわけの贈りもの", PASSED, can_be_passed_on=True))
    with unit_of_work(office.issuer) as work:
        links = [gifts.get_link(work, each.id) for each in given]
    found = gifts.find_gift_tenant(links[0].rpartition("/")[2])
    assert found is not None
    wish = gifts.PassOn(
        gift_id=given[0].id,
        locator=found[1],
        key=new_id().hex,
        name="見本 次郎",
        channel="mail",
        address="jiro@example.com",
        passed_by="見本 花子",
    )
    with unit_of_work(office.issuer) as work:
        gifts.pass_on(work, wish)
        passed_on = gifts.get_link(work, given[0].id)
    return {
        "gift_passed_on": str(given[0].id),
        "link_passed_on": links[0],
        "passed_on": passed_on,
        "may_pass": links[1],
        "spare_passing": links[2:],
    }


if __name__ == "__main__":
    main()
