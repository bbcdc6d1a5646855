"""Codes without names: how many an order has, and taking them out to be handed out or printed.

No code is at rest in clear: each is written anew from its number whenever it is taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.files import drop_file
from giftpad.gifts.commands.links import builder_of, check_ready, handed_over, record_taken
from giftpad.gifts.errors import CodesUnfit, OrderNotFound, RecipientsThere, VolumeNotFound
from giftpad.gifts.models import GiftRow, LineRow, OrderRow
from giftpad.gifts.queries.letters import last_day
from giftpad.gifts.rules.contracts import CODE, MAIL
from giftpad.gifts.rules.orders import CODES_MAX, DRAFT, VOLUME
from giftpad.kernel.work import Work

CODES_PAGE = 5000
"""Codes read in one short transaction while a file is sent."""


def order_codes(work: Work, order_id: UUID, count: int) -> None:
    """Let a draft be for so many codes without names; 0 lets it be for recipients again.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState, CodesUnfit, RecipientsThere.
    """
    order = lock_order(work, order_id, DRAFT)
    if not 0 <= count <= CODES_MAX:
        raise CodesUnfit(most=CODES_MAX)
    mine = (LineRow.tenant_id == work.tenant_id, LineRow.order_id == order_id)
    there = work.session.execute(
        sa.select(sa.func.count()).select_from(LineRow).where(*mine)
    ).scalar_one()
    if count and there:
        raise RecipientsThere(count=there)
    if count:  # a list that somebody was about to look at is of people, and not for this order
        drop_file(work, order_id)
        order.channel = CODE
    elif order.codes:
        order.channel = MAIL
    order.codes, order.changed_at = count, work.at


@dataclass(frozen=True, slots=True, kw_only=True)
class CodesTaken:
    """What is taken out of an order: its numbers from ``first`` to ``last``, so many claimable."""

    order_number: int
    first: int
    last: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """A code that can be claimed: its number, its link, and its last day."""

    number: int
    link: str = field(repr=False)
    claim_by: date


def open_codes(work: Work, order_id: UUID, *, volume: int | None = None) -> CodesTaken:
    """Put on record that the codes of an order are taken out, all of them or one volume.

    A volume is ``VOLUME`` numbers, the first being volume 1: it holds the same numbers whenever
    it is taken, less those that were claimed or taken back.
    Raises: OrderNotFound, OrderWrongState, CodesNotReady, VolumeNotFound.
    """
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    if order is None:
        raise OrderNotFound
    check_ready(order)
    first, last = 1, order.quantity
    if volume is not None:
        first, last = (volume - 1) * VOLUME + 1, min(volume * VOLUME, order.quantity)
        if not 1 <= first <= last:
            raise VolumeNotFound
    count = work.session.execute(
        sa.select(sa.func.count())
        .select_from(GiftRow)
        .where(*_claimable(work, order_id, first, last))
    ).scalar_one()
    record_taken(work, order, first=first, last=last, count=count)
    return CodesTaken(order_number=order.number, first=first, last=last, count=count)


def _claimable(
    work: Work, order_id: UUID, first: int, last: int
) -> tuple[sa.ColumnElement[bool], ...]:
    return (*handed_over(work, order_id), GiftRow.number.between(first, last))


def list_codes(work: Work, order_id: UUID, *, first: int, last: int) -> Sequence[CodeLine]:
    """Return the next codes of an order that can be claimed, in the order of their numbers.

    Only what ``open_codes`` has put on record may be asked for.
    """
    build = builder_of(work, order_id)
    zone = tenancy.get_tenant(work.tenant_id).zone
    rows = work.session.execute(
        sa.select(GiftRow.number, GiftRow.locator, GiftRow.ends_at)
        .where(*_claimable(work, order_id, first, last))
        .order_by(GiftRow.number)
        .limit(CODES_PAGE)
    )
    return [
        CodeLine(number=number, link=build(locator), claim_by=last_day(ends_at, zone))
        for number, locator, ends_at in rows
    ]
