"""Whom of an order a person may remind, and why not the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import messaging
from giftpad.gifts.models import GiftRow, OrderRow
from giftpad.gifts.queries.contracts import get_leaving
from giftpad.gifts.queries.finding import find_gifts
from giftpad.gifts.queries.gifts import FILTERS
from giftpad.gifts.queries.letters import open_person
from giftpad.gifts.rules.contracts import MAIL, SMS
from giftpad.gifts.rules.gifts import (
    CLAIMED,
    DELIVERED,
    HAND_REMINDERS_MAX,
    HANDED_OVER,
    LETTER_PAUSE,
    OUTSTANDING,
    REMINDER,
    UNSENT,
)
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work

OPENED_MAX = 2_000
"""Addresses that are opened for a look; of more than these only whoever writes knows each."""
STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Gifts of an order: those of one of the ``FILTERS``, or those that a word names."""

    order_id: UUID
    shown: str = "all"
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminding:
    """Whom of a selection a reminder would reach now, by channel, and how many not, by reason.

    ``again_at`` is when the first of those can be written to who were lately; None without any.
    Unless ``is_exact``, whoever wants no letters is not counted out yet, but gets none.
    """

    by_channel: Mapping[str, int]
    left_out: Mapping[str, int]
    again_at: datetime | None
    is_exact: bool

    @property
    def count(self) -> int:
        """How many would be written to."""
        return sum(self.by_channel.values())

    @property
    def selected(self) -> int:
        """How many gifts are selected."""
        return self.count + sum(self.left_out.values())


def selected(work: Work, selection: Selection) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what makes a gift one of a selection."""
    mine = (GiftRow.tenant_id == work.tenant_id, GiftRow.order_id == selection.order_id)
    if selection.word:
        return (*mine, GiftRow.id.in_(find_gifts(work, selection.order_id, selection.word)))
    return (*mine, *FILTERS[selection.shown])


def why_not(begun_at: datetime, *, leaves_at: datetime) -> sa.ColumnElement[str]:
    """Return why a gift is not reminded of by what somebody began then; empty if it is.

    Counted from that instant, nobody is written to twice by one press, however late it goes on.
    ``leaves_at`` is when a reminder leaves at the earliest: what is over by then is over.
    """
    channels = [channel for channel in (MAIL, SMS) if messaging.can_send(channel)]
    return sa.case(
        (sa.or_(GiftRow.state == CLAIMED, GiftRow.claimed_minor > 0), "claimed"),
        (sa.or_(GiftRow.state != OUTSTANDING, GiftRow.ends_at <= leaves_at), "over"),
        (GiftRow.passed_on_at.is_not(None), "passed_on"),
        (GiftRow.channel.not_in((MAIL, SMS)), "no_address"),
        (GiftRow.channel.not_in(channels), "no_way"),
        (GiftRow.delivery.in_(UNSENT), "undelivered"),
        (GiftRow.delivery.not_in((HANDED_OVER, DELIVERED)), "waiting"),
        (sa.func.cardinality(GiftRow.hand_reminded_at) >= HAND_REMINDERS_MAX, "twice"),
        (GiftRow.queued_at > begun_at - LETTER_PAUSE, "lately"),
        else_="",
    )


def look_at_reminders(
    work: Work, selection: Selection, *, begun_at: datetime | None = None
) -> Reminding:
    """Return whom of a selection a reminder reaches, in a few queries however many they are.

    ``begun_at`` is for whoever looked at that instant, and presses now; it is now by default.
    """
    order = work.session.get(OrderRow, (work.tenant_id, selection.order_id))
    leaves_at = get_leaving(work, None if order is None else order.run_id).at
    which, why = selected(work, selection), why_not(begun_at or work.at, leaves_at=leaves_at)
    told = sa.select(why.label("why"), GiftRow.channel, GiftRow.queued_at).where(*which).subquery()
    rows = work.session.execute(
        sa.select(
            told.c.why, told.c.channel, sa.func.count(), sa.func.min(told.c.queued_at)
        ).group_by(told.c.why, told.c.channel)
    ).all()
    by_channel, left_out = Counter[str](), Counter[str]()
    for reason, channel, count, _ in rows:
        if reason:
            left_out[reason] += count
        else:
            by_channel[channel] += count
    is_exact = by_channel.total() <= OPENED_MAX
    if by_channel and is_exact:
        due = work.session.scalars(sa.select(GiftRow).where(*which, why == "")).all()
        for gift in find_stopped(work, due):
            by_channel[gift.channel] -= 1
            left_out[STOPPED] += 1
    lately = [queued_at for reason, _, _, queued_at in rows if reason == "lately"]
    return Reminding(
        by_channel=by_channel,
        left_out=left_out,
        again_at=min(lately) + LETTER_PAUSE if lately else None,
        is_exact=is_exact,
    )


def find_stopped(work: Work, gifts: Sequence[GiftRow]) -> list[GiftRow]:
    """Return those of some gifts whose recipient wants no letters, or whose address is wrong."""
    opened = []
    for gift in gifts:
        try:
            opened.append((gift, open_person(gift)["address"]))
        except SealBroken:
            continue  # nobody can be written to who cannot be read: that is found out then
    told = messaging.list_stopped(work, REMINDER, [(gift.channel, to) for gift, to in opened])
    return [gift for (gift, _), is_stopped in zip(opened, told, strict=True) if is_stopped]
