"""The life of a file of cards: due, being printed, ready or failed, gone.

Each function is one short transaction; what takes long happens between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, designs, events, tenancy
from giftpad.gifts.adapters import build_link
from giftpad.gifts.errors import PrintBusy, PrintGone, PrintNotFound
from giftpad.gifts.events import CardsDue
from giftpad.gifts.models import GiftRow, OrderRow, PrintRow
from giftpad.gifts.queries.letters import last_day, open_person
from giftpad.gifts.rules.cards import (
    CARDS_MAX,
    DUE,
    FAILED,
    GONE,
    HONORIFICS,
    KEPT,
    PRINTING,
    READY,
    Card,
    CardTask,
    Printed,
    card_serial,
    face_of,
)
from giftpad.gifts.rules.contracts import CARD
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work

CLAIM = timedelta(minutes=3)
"""Longer than a file takes; a worker that died holds it no longer than this."""
FORGET_COUNT_MAX = 100


def plan_prints(work: Work, order: OrderRow) -> int:
    """Divide an order's cards into files and have the first printed; return how many files.

    Publishes: gift_print.cards_due_v1 for each.
    """
    count = work.session.execute(
        sa.select(sa.func.count()).where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.order_id == order.id,
            GiftRow.channel == CARD,
        )
    ).scalar_one()
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": work.tenant_id,
            "id": new_id(),
            "order_id": order.id,
            "number": number,
            "place": place,
            "quantity": min(CARDS_MAX, count - place),
            "state": DUE,
        }
        for number, place in enumerate(range(0, count, CARDS_MAX), 1)
    ]
    if rows:
        work.session.execute(sa.insert(PrintRow), rows)
    for row in rows:
        events.publish(work, CardsDue(object_id=row["id"]))
    return len(rows)


def plan_one(work: Work, gift: GiftRow) -> int:
    """Have the card of one gift printed anew and return the number of its file.

    Locks: nothing; the caller holds the gift, and two files of one number are refused.
    Publishes: gift_print.cards_due_v1.
    """
    last = work.session.execute(
        sa.select(sa.func.coalesce(sa.func.max(PrintRow.number), 0)).where(
            PrintRow.tenant_id == work.tenant_id, PrintRow.order_id == gift.order_id
        )
    ).scalar_one()
    row = PrintRow(
        tenant_id=work.tenant_id,
        id=new_id(),
        order_id=gift.order_id,
        number=last + 1,
        gift_id=gift.id,
        place=0,
        quantity=1,
        state=DUE,
    )
    work.session.add(row)
    work.session.flush()
    events.publish(work, CardsDue(object_id=row.id))
    return row.number


def _lock(work: Work, print_id: UUID) -> PrintRow:
    row = work.session.execute(
        sa.select(PrintRow)
        .where(PrintRow.tenant_id == work.tenant_id, PrintRow.id == print_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if row is None:
        raise PrintNotFound
    return row


def start_print(work: Work, print_id: UUID) -> CardTask | None:
    """Begin an attempt at a file and claim it; None if there is nothing to do.

    Locks: the file's row.
    Raises: PrintBusy.
    """
    row = _lock(work, print_id)
    if row.state not in (DUE, PRINTING):
        return None
    if row.claimed_until is not None and row.claimed_until > work.at:
        raise PrintBusy
    stale, row.file_id = row.file_id, new_id()
    row.state, row.claimed_until, row.problems = PRINTING, work.at + CLAIM, []
    order = work.session.get(OrderRow, (work.tenant_id, row.order_id))
    assert order is not None
    gifts = _list_cards(work, row)
    zone = tenancy.get_tenant(work.tenant_id).zone
    accent = designs.get_design(order.design).accent
    return CardTask(
        tenant_id=work.tenant_id,
        print_id=row.id,
        order_id=order.id,
        file_id=row.file_id,
        stale_file_id=stale,
        design=order.design,
        face=face_of(
            order.sender_name,
            last_day(gifts[0].ends_at, zone),
            accent=accent,
            locale=order.locale,
        ),
        cards=tuple(_card(order, gift) for gift in gifts),
    )


def _list_cards(work: Work, row: PrintRow) -> list[GiftRow]:
    if row.gift_id is not None:
        one = work.session.get(GiftRow, (work.tenant_id, row.gift_id))
        assert one is not None
        return [one]
    return list(
        work.session.scalars(
            sa.select(GiftRow)
            .where(
                GiftRow.tenant_id == work.tenant_id,
                GiftRow.order_id == row.order_id,
                GiftRow.channel == CARD,
            )
            .order_by(GiftRow.number)
            .offset(row.place)
            .limit(row.quantity)
        )
    )


def _card(order: OrderRow, gift: GiftRow) -> Card:
    assert order.kid is not None
    name = open_person(gift)["name"]
    return Card(
        serial=card_serial(order.number, gift.number),
        recipient=HONORIFICS[gift.locale].format(name=name),
        qr=build_link(gift.tenant_id, order.kid, gift.locator).upper(),
    )


def finish_print(work: Work, task: CardTask, printed: Printed) -> bool:
    """Record how an attempt ended; False if a newer one overtook it.

    Locks: the file's row.
    """
    row = _lock(work, task.print_id)
    if row.file_id != task.file_id or row.state != PRINTING:
        return False
    row.claimed_until = None
    if printed.problems:
        row.state, row.problems = FAILED, list(printed.problems)
        return True
    row.state, row.ready_at = READY, work.at
    row.page_count, row.size_bytes = printed.page_count, printed.size_bytes
    row.sha256 = printed.sha256
    return True


def print_again(work: Work, order_id: UUID) -> int:
    """Have the files of an order printed anew that failed or are gone; return how many.

    The codes stay the same; a card whose gift has ended meanwhile opens nothing any more.
    Publishes: gift_print.cards_due_v1 for each.
    """
    rows = work.session.scalars(
        sa.select(PrintRow)
        .where(
            PrintRow.tenant_id == work.tenant_id,
            PrintRow.order_id == order_id,
            PrintRow.state.in_((FAILED, GONE)),
        )
        .with_for_update()
    ).all()
    for row in rows:
        row.state, row.sha256 = DUE, None
        events.publish(work, CardsDue(object_id=row.id))
    if rows:
        audit.record(
            work,
            action="gift_cards.printed_again",
            subject=f"gift_order:{order_id}",
            details={"files": len(rows)},
        )
    return len(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTicket:
    """The right, already on record, to take a file of cards out."""

    tenant_id: UUID
    print_id: UUID
    file_id: UUID
    file_name: str
    sha256: str
    number: int
    first_serial: str
    last_serial: str
    quantity: int
    page_count: int
    serials: tuple[str, ...] = field(repr=False, default=())


def open_cards(work: Work, order_id: UUID, *, number: int | None = None) -> list[CardTicket]:
    """Put on record that files of an order's cards are taken out, and return the tickets.

    All files are, or the one of this ``number``: the card that takes a lost one's place does not
    wait for files that were kept long enough and are gone.

    Raises: PrintNotFound if there are no cards, PrintGone unless every file is ready.
    """
    rows = work.session.scalars(
        sa.select(PrintRow)
        .where(PrintRow.tenant_id == work.tenant_id, PrintRow.order_id == order_id)
        .order_by(PrintRow.number)
    ).all()
    if number is not None:
        rows = [row for row in rows if row.number == number]
    if not rows:
        raise PrintNotFound
    if any(row.state != READY for row in rows):
        raise PrintGone
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    assert order is not None
    tickets = [_ticket(work, order, row) for row in rows]
    audit.record(
        work,
        action="gift_cards.taken",
        subject=f"gift_order:{order_id}",
        details={"files": len(tickets), "cards": sum(row.quantity for row in rows)},
    )
    return tickets


def _ticket(work: Work, order: OrderRow, row: PrintRow) -> CardTicket:
    assert row.file_id is not None
    assert row.sha256 is not None
    numbers = [gift.number for gift in _list_cards(work, row)]
    serials = tuple(card_serial(order.number, number) for number in numbers)
    return CardTicket(
        tenant_id=work.tenant_id,
        print_id=row.id,
        file_id=row.file_id,
        file_name=f"cards-{order.number}-{row.number}.pdf",
        sha256=row.sha256,
        number=row.number,
        first_serial=serials[0],
        last_serial=serials[-1],
        quantity=row.quantity,
        page_count=row.page_count or 0,
        serials=serials,
    )


def retire_prints(work: Work) -> list[UUID]:
    """Note files as gone that were kept long enough; return the ids of what is to be deleted."""
    rows = work.session.scalars(
        sa.select(PrintRow)
        .where(
            PrintRow.tenant_id == work.tenant_id,
            PrintRow.state == READY,
            PrintRow.ready_at < work.at - KEPT,
        )
        .limit(FORGET_COUNT_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state, row.sha256 = GONE, None
    return [row.file_id for row in rows if row.file_id is not None]
