"""Codes without names: how many an order has, and taking them out to be handed out or printed.

No code is at rest in clear: each is written anew from its number whenever it is taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.gifts.adapters import link_builder
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.errors import (
    CodesNotReady,
    CodesUnfit,
    OrderNotFound,
    OrderWrongState,
    RecipientsThere,
    VolumeNotFound,
)
from giftpad.gifts.models import FileRow, GiftRow, LineRow, OrderRow
from giftpad.gifts.queries.letters import last_day
from giftpad.gifts.rules.contracts import CODE, MAIL
from giftpad.gifts.rules.gifts import OUTSTANDING
from giftpad.gifts.rules.orders import CLOSED, CODES_MAX, DRAFT, SENT, VOLUME
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
        work.session.execute(
            sa.delete(FileRow).where(
                FileRow.tenant_id == work.tenant_id, FileRow.order_id == order_id
            )
        )
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
    audit.record(
        work,
        action="gift_order.codes_taken",
        subject=f"gift_order:{order_id}",
        details={"number": order.number, "first": first, "last": last, "count": count},
    )
    return CodesTaken(order_number=order.number, first=first, last=last, count=count)


def check_ready(order: OrderRow) -> None:
    """Refuse to give codes away before all of them are there: half a file looks like a whole one.

    Raises: OrderWrongState, CodesNotReady.
    """
    if not order.codes:
        raise OrderWrongState(state=order.channel)
    if order.state not in (SENT, CLOSED):
        raise CodesNotReady(done=order.issued_to, most=order.quantity or order.codes)


def _claimable(
    work: Work, order_id: UUID, first: int, last: int
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        GiftRow.tenant_id == work.tenant_id,
        GiftRow.order_id == order_id,
        GiftRow.number.between(first, last),
        GiftRow.channel == CODE,
        GiftRow.state == OUTSTANDING,
        GiftRow.passed_on_at.is_(None),  # its link is somebody else's by now
    )


def list_codes(work: Work, order_id: UUID, *, first: int, last: int) -> Sequence[CodeLine]:
    """Return the next codes of an order that can be claimed, in the order of their numbers.

    Only what ``open_codes`` has put on record may be asked for.
    """
    kid = work.session.execute(
        sa.select(OrderRow.kid).where(OrderRow.tenant_id == work.tenant_id, OrderRow.id == order_id)
    ).scalar_one()
    assert kid is not None  # it was approved, or there were no gifts
    build = link_builder(work.tenant_id, kid)
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
