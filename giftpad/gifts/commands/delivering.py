"""How the letter of a gift goes: noted, sent again, sent elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, messaging, tenancy
from giftpad.gifts.commands.claiming import lock_gift, refuse_passed_on
from giftpad.gifts.commands.letters import hold_run, invite
from giftpad.gifts.commands.links import change_link
from giftpad.gifts.commands.withdrawing import withdraw_letters
from giftpad.gifts.errors import GiftWrongState, OrderUnfit, ResendTooSoon
from giftpad.gifts.models import GiftRow, OrderRow, person_place
from giftpad.gifts.queries.contracts import get_contract
from giftpad.gifts.queries.finding import index_address
from giftpad.gifts.queries.letters import open_person
from giftpad.gifts.rules.contracts import CARD, CODE, MAIL, PRINTED, SMS
from giftpad.gifts.rules.gifts import (
    BOUNCED,
    DELIVERED,
    HANDED_OVER,
    INVITATION,
    LETTER_PAUSE,
    NONE,
    OUTSTANDING,
    READDRESSED,
    REPLACED,
    UNSENT,
)
from giftpad.gifts.rules.recipients import Recipient, judge_recipient
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work

LATE = timedelta(hours=1)
"""Who leaves so long after it was written has waited, and was not just one of many."""


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
    if gift.is_reminded_last and delivery != DELIVERED:
        return  # of a reminder: the letter itself has arrived, whatever becomes of this one
    if delivery == DELIVERED:
        gift.delivered_at = gift.delivered_at or work.at
        _note_left(work, gift, message_id)  # a receipt may be quicker than the end of its chunk
    gift.delivery = delivery


def _note_left(work: Work, gift: GiftRow, message_id: UUID) -> None:
    """Let the pause after a letter begin when it left, if it waited long, as below for many."""
    before = gift.queued_at
    if before is None or work.at - before < LATE:
        return
    try:
        left_at = messaging.get_message(work, message_id).sent_at
    except messaging.MessageNotFound:
        return  # it was kept long enough
    if left_at is None or left_at - before < LATE:
        return
    if gift.reminded_at == before:
        gift.reminded_at = left_at
    gift.hand_reminded_at = [left_at if at == before else at for at in gift.hand_reminded_at]
    gift.queued_at = left_at


_NOTE_HANDED_OVER = sa.text("""
    WITH told AS (
        SELECT g.id FROM gifts g
        JOIN unnest(CAST(:gifts AS uuid[]), CAST(:messages AS uuid[])) AS n (gift_id, message_id)
            ON g.id = n.gift_id AND g.message_id = n.message_id
        WHERE g.tenant_id = :tenant ORDER BY g.id FOR UPDATE OF g
    )
    UPDATE gifts g SET sent_at = COALESCE(g.sent_at, :at),
        delivery = CASE WHEN g.delivery IN (:delivered, :bounced) THEN g.delivery
            ELSE :handed_over END,
        queued_at = CASE WHEN g.queued_at < :late THEN :at ELSE g.queued_at END,
        reminded_at = CASE WHEN g.reminded_at = g.queued_at AND g.queued_at < :late
            THEN :at ELSE g.reminded_at END,
        hand_reminded_at = CASE WHEN g.queued_at < :late
            THEN array_replace(g.hand_reminded_at, g.queued_at, CAST(:at AS timestamptz))
            ELSE g.hand_reminded_at END
    FROM told WHERE g.tenant_id = :tenant AND g.id = told.id
""")


def note_handed_over(work: Work, letters: Sequence[tuple[UUID, UUID]]) -> None:
    """Note of gifts and letters that a provider has taken them, by one statement.

    A receipt that was quicker stays, and news of an older letter changes nothing.  The pause after
    a letter that waited long, since sending was paused or the provider away, begins now.
    Locks: the gifts, in the order of their ids.
    """
    work.session.execute(
        _NOTE_HANDED_OVER,
        {
            "tenant": work.tenant_id,
            "gifts": [gift_id for gift_id, _ in letters],
            "messages": [message_id for _, message_id in letters],
            "at": work.at,
            "late": work.at - LATE,
            "delivered": DELIVERED,
            "bounced": BOUNCED,
            "handed_over": HANDED_OVER,
        },
    )


def resend(work: Work, gift_id: UUID) -> None:
    """Send a gift's letter once more, to the address it has.

    Whoever got it may not be bothered at will; one that never arrived may be sent again at once.
    One that waits to be sent leaves once, not twice.
    Locks: the gift, its letter, the run of that.
    Raises: GiftNotFound, GiftWrongState, PassedOn, ResendTooSoon, ChannelMissing.
    """
    gift, order = lock_gift(work, gift_id)
    refuse_passed_on(gift)
    _send_again(work, gift, order)


def _send_again(work: Work, gift: GiftRow, order: OrderRow) -> None:
    _check_resend(work, gift)
    withdraw_letter(work, gift)
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
    if gift.delivery in UNSENT:
        return
    next_at = (gift.queued_at or gift.created_at) + LETTER_PAUSE
    if gift.resent >= get_contract(work).resend_max:
        raise GiftWrongState(state="sent_as_often_as_allowed")
    if next_at > work.at:
        zone = tenancy.get_tenant(work.tenant_id).zone
        raise ResendTooSoon(again_on=local_date(next_at, zone).isoformat())


def withdraw_letter(work: Work, gift: GiftRow) -> bool:
    """See that the newest letter of a gift leaves no more; True if nobody has got any of it."""
    if gift.message_id is None:
        return False
    is_unseen = bool(withdraw_letters(work, [gift]))
    heard_of = (gift.sent_at, gift.delivered_at, gift.opened_at)
    return is_unseen and not gift.resent and not any(heard_of)


def readdress(
    work: Work, gift_id: UUID, *, channel: str, address: str, same_person: bool = False
) -> bool:
    """Send a gift that is not claimed to another address, or by another way, at once.

    The same address again is a ``resend``.  A letter that has not left leaves no more.  Of one
    that may have, the link is in hands that it was not meant for: the gift gets another link, and
    the old one opens nothing; ``same_person`` as in ``change_link``.  Return whether the link is a
    new one.
    Locks: the gift, its letter and the run of that, the run of the order's letters, then the
        tenant's locators.
    Raises: GiftNotFound, GiftWrongState, PassedOn, PartlyTaken, OrderUnfit, ResendTooSoon,
    ChannelMissing.
    """
    if channel in PRINTED:
        raise OrderUnfit(field="channel", code="channel.card")
    gift, order = lock_gift(work, gift_id)
    if gift.state != OUTSTANDING:
        raise GiftWrongState(state=gift.state)
    if gift.channel == CODE:
        raise GiftWrongState(state=CODE)  # nobody is named whom a letter could be to
    refuse_passed_on(gift)
    person = dict(open_person(gift))
    judged = _judge(gift, person["name"], channel, address)
    index = index_address(work, judged.address)
    if channel in (MAIL, SMS) and (channel, index) == (gift.channel, gift.address_index):
        _send_again(work, gift, order)
        return False
    person["address"] = judged.address
    text = json.dumps(person, ensure_ascii=False)
    gift.person_sealed = tenancy.seal_text(
        work.tenant_id, person_place(work.tenant_id, gift.id), text
    )
    gift.address_index = index
    is_renewed, was_chosen = not withdraw_letter(work, gift), False
    if is_renewed:
        _check_readdress(work, gift, channel)
        if channel in (MAIL, SMS):
            hold_run(work, order)
        why = REPLACED if gift.channel == CARD else READDRESSED
        was_chosen = change_link(work, gift, why, same_person=same_person)
        # What is known of the letter before is not known of this one.
        gift.sent_at = gift.delivered_at = None
        if not was_chosen:
            gift.opened_at = None
    before, gift.channel = gift.channel, channel
    gift.message_id, gift.delivery, gift.queued_at = None, NONE, None
    work.session.flush()  # the letter's statement below writes the same row
    if channel in (MAIL, SMS):
        invite(work, order, [gift])
    audit.record(
        work,
        action="gift.readdressed",
        subject=f"gift:{gift.id}",
        details={
            "was": before,
            "now": channel,
            "new_link": is_renewed,
            "same_person": was_chosen,
        },
    )
    return is_renewed


def _judge(gift: GiftRow, name: str, channel: str, address: str) -> Recipient:
    column = {MAIL: "mail", SMS: "phone"}.get(channel, "")
    judged = judge_recipient(
        gift.number,
        {"name": name, column: address} if column else {"name": name},
        channel=channel,
        locale=gift.locale,
    )
    if judged.faults:
        raise OrderUnfit(field=judged.faults[0].column, code=judged.faults[0].code)
    return judged


def _check_readdress(work: Work, gift: GiftRow, channel: str) -> None:
    """Count a letter that may have been got, as a letter that is sent again is counted.

    Or else one person could be written to without end, by two addresses in turn.
    Raises: GiftWrongState.
    """
    if gift.channel not in (MAIL, SMS) or gift.delivery in UNSENT:
        count = gift.resent
    else:
        count = gift.resent = gift.resent + 1
    if channel in (MAIL, SMS) and count > get_contract(work).resend_max:
        raise GiftWrongState(state="sent_as_often_as_allowed")
