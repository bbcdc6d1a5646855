"""Giving a gift another link: for a card that was lost, or for somebody it is passed on to.

The gift, its account and its value stay as they are; the link before is dead from the commit on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.gifts.commands.claiming import lock_gift, refuse_passed_on
from giftpad.gifts.commands.delivering import readdress, withdraw_letter
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.letters import hold_run, invite, link_of
from giftpad.gifts.commands.links import change_link
from giftpad.gifts.commands.prints import plan_one
from giftpad.gifts.errors import GiftOver, GiftWrongState, LinkChanged, NotPassedOn, OrderUnfit
from giftpad.gifts.models import GiftRow, OldLinkRow, OrderRow, person_place
from giftpad.gifts.queries.claims import is_chosen
from giftpad.gifts.queries.letters import open_person, state_of
from giftpad.gifts.rules.contracts import CARD, CODE, LINK, MAIL, SMS
from giftpad.gifts.rules.gifts import NONE, OUTSTANDING, PASSED_ON, REPLACED
from giftpad.gifts.rules.recipients import judge_recipient
from giftpad.kernel.i18n import mark, translate
from giftpad.kernel.work import Work

PASSED_BY = mark("{name} has passed this gift on to you.")
PASSED = mark("This gift has been passed on to you.")


def replace_card(
    work: Work,
    gift_id: UUID,
    *,
    reason: str,
    channel: str = CARD,
    address: str = "",
    same_person: bool = False,
) -> int | None:
    """Let the card of a gift open nothing any more, and send the gift out anew.

    Return the number of the file that holds the new card; None where a mail or a message goes
    instead.  ``same_person`` as in ``change_link``.  Nothing moves on the books.
    Locks: the gift, the order, the run of its letters, the tenant's locators.
    Raises: GiftNotFound, GiftWrongState, PassedOn, PartlyTaken, OrderUnfit, ChannelMissing.
    Publishes: gift_print.cards_due_v1.
    """
    gift, order = lock_gift(work, gift_id)
    if gift.channel != CARD or gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state if gift.state != OUTSTANDING else gift.channel)
    refuse_passed_on(gift)
    number, was_chosen = None, is_chosen(work, gift)
    if channel == CARD:
        lock_order(work, order.id)  # files of an order are numbered one after the other
        change_link(work, gift, REPLACED, same_person=same_person)
        number = plan_one(work, gift)
    else:
        readdress(work, gift_id, channel=channel, address=address, same_person=same_person)
    count = _count_replaced(work, gift)
    audit.record(
        work,
        action="gift.card_replaced",
        subject=f"gift:{gift.id}",
        details={
            "count": count,
            "now": channel,
            "same_person": was_chosen,
            "reason": reason,
        },
    )
    return number


def replace_code(work: Work, gift_id: UUID, *, reason: str, same_person: bool = False) -> None:
    """Let the link of a code open nothing any more; the gift has another one from now on.

    Whoever handed it out shows the new one, or takes the file again.  ``same_person`` as in
    ``change_link``.  Nothing moves on the books.
    Locks: the gift, the tenant's locators.
    Raises: GiftNotFound, GiftWrongState, PassedOn, PartlyTaken.
    """
    gift, _ = lock_gift(work, gift_id)
    if gift.channel != CODE or gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state if gift.state != OUTSTANDING else gift.channel)
    refuse_passed_on(gift)
    was_chosen = change_link(work, gift, REPLACED, same_person=same_person)
    if not was_chosen:
        gift.opened_at = None  # what is known of the link before is not known of this one
    audit.record(
        work,
        action="gift.code_replaced",
        subject=f"gift:{gift.id}",
        details={
            "count": _count_replaced(work, gift),
            "same_person": was_chosen,
            "reason": reason,
        },
    )


def _count_replaced(work: Work, gift: GiftRow) -> int:
    return work.session.execute(
        sa.select(sa.func.count()).where(
            OldLinkRow.tenant_id == work.tenant_id,
            OldLinkRow.gift_id == gift.id,
            OldLinkRow.why == REPLACED,
        )
    ).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """To whom a gift is passed on, by whoever holds the link with this locator.

    ``passed_by`` is what they call themselves, empty if they do not wish to be named; ``key`` is
    that of their form.  By the channel ``link`` they hand the new link over themselves.
    """

    gift_id: UUID
    locator: int
    key: str
    name: str = field(repr=False)
    channel: str
    address: str = field(default="", repr=False)
    passed_by: str = field(default="", repr=False)


def pass_on(work: Work, wish: PassOn) -> str | None:
    """Give a gift that is not claimed to somebody else, once and for good.

    Return the new link if it is handed over in person; the same form again gets it again.  Of a
    claim and a passing on at the same time, or of two of these, the first wins.  A letter with the
    old link that has not left leaves no more.
    Locks: the gift, its letter and the run of that, the run of the order's letters, the tenant's
        locators.
    Raises: GiftNotFound, LinkChanged, GiftOver, NotPassedOn, PassedOn, OrderUnfit,
        ChannelMissing.
    """
    gift, order = lock_gift(work, wish.gift_id)
    if gift.locator != wish.locator:
        return _passed_already(work, wish, gift, order)
    if state_of(gift, order, work.at) != "open":
        raise GiftOver(state=state_of(gift, order, work.at))
    if not order.can_be_passed_on or gift.claimed_minor:
        raise NotPassedOn
    refuse_passed_on(gift)
    address = _judge(gift, wish)
    withdraw_letter(work, gift)
    _hand_over(work, gift, wish, address)
    if wish.channel in (MAIL, SMS):
        hold_run(work, order)
    # What ran out is seen by nobody: whoever has chosen it gives the gift away themselves.
    change_link(work, gift, PASSED_ON, key=wish.key, same_person=True)
    if wish.channel in (MAIL, SMS):
        invite(work, order, [gift])
    audit.record(
        work,
        action="gift.passed_on",
        subject=f"gift:{gift.id}",
        details={"now": wish.channel},
    )
    return link_of(order, gift) if wish.channel == LINK else None


def _passed_already(work: Work, wish: PassOn, gift: GiftRow, order: OrderRow) -> str | None:
    """Answer a form that was sent before as it was answered then.

    Raises: LinkChanged.
    """
    old = work.session.get(OldLinkRow, (work.tenant_id, wish.locator))
    is_same = old is not None and old.why == PASSED_ON and old.key == wish.key
    if not is_same or gift.state != OUTSTANDING:
        raise LinkChanged
    return link_of(order, gift) if wish.channel == gift.channel == LINK else None


def _judge(gift: GiftRow, wish: PassOn) -> str:
    """Return the address of whoever gets a gift now, as it is written.

    Raises: OrderUnfit.
    """
    if wish.channel == LINK and not wish.name:
        return ""  # whoever hands it over knows whom
    column = {MAIL: "mail", SMS: "phone", LINK: ""}[wish.channel]
    cells = {"name": wish.name} | ({column: wish.address} if column else {})
    judged = judge_recipient(gift.number, cells, channel=wish.channel, locale=gift.locale)
    if judged.faults:
        raise OrderUnfit(field=judged.faults[0].column, code=judged.faults[0].code)
    return judged.address


def _hand_over(work: Work, gift: GiftRow, wish: PassOn, address: str) -> None:
    """Write down whose gift it is now; the sender goes on seeing whom it was for."""

    def seal(column: str, person: dict[str, str]) -> bytes:
        place = person_place(work.tenant_id, gift.id, column)
        return tenancy.seal_text(work.tenant_id, place, json.dumps(person, ensure_ascii=False))

    gift.first_sealed = seal("first_sealed", open_person(gift))
    said = PASSED_BY if wish.passed_by else PASSED
    note = translate(said, gift.locale, name=wish.passed_by)
    gift.person_sealed = seal(
        "person_sealed", {"name": wish.name, "address": address, "note": note}
    )
    gift.channel, gift.delivery, gift.message_id = wish.channel, NONE, None
    gift.passed_on_at, gift.reminded_at = work.at, None
