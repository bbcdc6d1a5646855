"""How the letter of a gift goes: noted, sent again, sent elsewhere, a reminder."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.gifts.commands.claiming import lock_gift, refuse_passed_on
from giftpad.gifts.commands.letters import INVITATION, REMINDER, invite
from giftpad.gifts.errors import GiftWrongState, OrderUnfit, ResendTooSoon
from giftpad.gifts.models import GiftRow, OrderRow, person_place
from giftpad.gifts.queries.contracts import get_contract
from giftpad.gifts.queries.finding import index_address
from giftpad.gifts.queries.letters import open_person
from giftpad.gifts.rules.contracts import MAIL, SMS
from giftpad.gifts.rules.gifts import (
    BOUNCED,
    DELIVERED,
    FAILED,
    HANDED_OVER,
    OUTSTANDING,
)
from giftpad.gifts.rules.orders import CLOSED
from giftpad.gifts.rules.recipients import judge_recipient
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work

RESEND_PAUSE = timedelta(hours=20)
"""Between two letters to one person lies a night."""
REMIND_BEFORE = timedelta(days=14)
REMIND_LEAST = timedelta(days=7)
"""Nobody is reminded of a gift that came less than this ago."""
REMIND_COUNT_MAX = 200
_UNSENT = (BOUNCED, FAILED)


def note_delivery(work: Work, gift_id: UUID, message_id: UUID, delivery: str) -> None:
    """Note how the newest letter of a gift went; news of an older letter changes nothing.

    Locks: the gift.
    """
    gift = work.session.execute(
        sa.select(GiftRow)
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.id == gift_id)
        .with_for_update()
    ).scalar_one_or_none()
    if gift is None or gift.message_id != message_id:
        return
    if delivery == HANDED_OVER:
        gift.sent_at = gift.sent_at or work.at
        if gift.delivery in (DELIVERED, BOUNCED):
            return  # the provider's receipt was faster than our own word
    if delivery == DELIVERED:
        gift.delivered_at = gift.delivered_at or work.at
    gift.delivery = delivery


def resend(work: Work, gift_id: UUID) -> None:
    """Send a gift's letter once more, to the address it has.

    Whoever got it may not be bothered at will; one that never arrived may be sent again at once.
    Locks: the gift.
    Raises: GiftNotFound, GiftWrongState, PassedOn, ResendTooSoon, ChannelMissing.
    """
    gift, order = lock_gift(work, gift_id)
    refuse_passed_on(gift)
    _check_resend(work, gift)
    gift.resent += 1
    work.session.flush()  # the letter's statement below writes the same row
    invite(work, order, [gift], template=INVITATION)
    audit.record(
        work,
        action="gift.resent",
        subject=f"gift:{gift.id}",
        details={"channel": gift.channel, "count": gift.resent},
    )


def _check_resend(work: Work, gift: GiftRow) -> None:
    if gift.state != OUTSTANDING or gift.channel not in (MAIL, SMS):
        raise GiftWrongState(state=gift.state if gift.state != OUTSTANDING else gift.channel)
    if gift.delivery in _UNSENT:
        return
    next_at = (gift.queued_at or gift.created_at) + RESEND_PAUSE
    if gift.resent >= get_contract(work).resend_max:
        raise GiftWrongState(state="resent")
    if next_at > work.at:
        zone = tenancy.get_tenant(work.tenant_id).zone
        raise ResendTooSoon(again_on=local_date(next_at, zone).isoformat())


def readdress(work: Work, gift_id: UUID, *, channel: str, address: str) -> None:
    """Send a gift that is not claimed to another address, or by another way, at once.

    The link stays the same, so whoever has it already has it still.
    Locks: the gift.
    Raises: GiftNotFound, GiftWrongState, PassedOn, OrderUnfit, ChannelMissing.
    """
    gift, order = lock_gift(work, gift_id)
    if gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state)
    refuse_passed_on(gift)
    person = dict(open_person(gift))
    column = {MAIL: "mail", SMS: "phone"}.get(channel, "")
    judged = judge_recipient(
        gift.number,
        {"name": person["name"], column: address} if column else {"name": person["name"]},
        channel=channel,
        locale=gift.locale,
    )
    if judged.faults:
        raise OrderUnfit(field=judged.faults[0].column, code=judged.faults[0].code)
    person["address"] = judged.address
    text = json.dumps(person, ensure_ascii=False)
    gift.person_sealed = tenancy.seal_text(
        work.tenant_id, person_place(work.tenant_id, gift.id), text
    )
    gift.address_index = index_address(work, judged.address)
    before, gift.channel = gift.channel, channel
    work.session.flush()  # the letter's statement below writes the same row
    if channel in (MAIL, SMS):
        invite(work, order, [gift])
    audit.record(
        work,
        action="gift.readdressed",
        subject=f"gift:{gift.id}",
        details={"was": before, "now": channel},
    )


def remind_some(work: Work) -> int:
    """Remind recipients whose gift ends soon, once each; return how many.

    Locks: the gifts, passing over those that somebody is at.
    """
    due = (
        sa.select(GiftRow, OrderRow)
        .join(
            OrderRow,
            sa.and_(OrderRow.tenant_id == GiftRow.tenant_id, OrderRow.id == GiftRow.order_id),
        )
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.state == OUTSTANDING,
            GiftRow.channel.in_((MAIL, SMS)),
            GiftRow.delivery.in_((HANDED_OVER, DELIVERED)),
            GiftRow.reminded_at.is_(None),
            GiftRow.ends_at.between(work.at, work.at + REMIND_BEFORE),
            GiftRow.queued_at < work.at - REMIND_LEAST,
            OrderRow.state != CLOSED,
        )
        .order_by(GiftRow.ends_at)
        .limit(REMIND_COUNT_MAX)
        .with_for_update(skip_locked=True, of=GiftRow)
    )
    by_order: dict[UUID, tuple[OrderRow, list[GiftRow]]] = {}
    for gift, order in work.session.execute(due):
        gift.reminded_at = work.at
        by_order.setdefault(order.id, (order, []))[1].append(gift)
    work.session.flush()  # the letters' statement below writes the same rows
    for order, gifts in by_order.values():
        invite(work, order, gifts, template=REMINDER)
    return sum(len(gifts) for _, gifts in by_order.values())
