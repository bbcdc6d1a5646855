"""The life of a file of cards: due, being printed, ready or failed, gone.

Each function is one short transaction; what takes long happens between them.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, designs, events, tenancy
from giftpad.gifts.adapters import build_link
from giftpad.gifts.errors import PrintBusy, PrintNotFound
from giftpad.gifts.events import CardsDue
from giftpad.gifts.models import GiftRow, OrderRow, PrintRow
from giftpad.gifts.queries.letters import last_day, open_person
from giftpad.gifts.rules.cards import (
    CARDS_MAX,
    DUE,
    FAILED,
    GONE,
    KEPT,
    LETTERS_MAX,
    PRINTING,
    READY,
    Card,
    CardTask,
    Printed,
    card_serial,
    card_words,
    face_of,
    letter_face_of,
    letter_words,
)
from giftpad.gifts.rules.contracts import CARD, LETTER, PRINTED
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work

CLAIM = timedelta(minutes=3)
"""Longer than a file takes; a worker that died holds it no longer than this."""
FORGET_COUNT_MAX = 100


def plan_prints(work: Work, order: OrderRow) -> int:
    """Divide an order's cards and letters into files and have them printed; return how many files.

    Publishes: gift_print.cards_due_v1 for each.
    """
    listed = work.session.execute(
        sa.select(GiftRow.channel, GiftRow.number)
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.order_id == order.id,
            GiftRow.channel.in_(PRINTED),
        )
        .order_by(GiftRow.number)
    )
    numbers: dict[str, list[int]] = defaultdict(list)
    for kind, number in listed:
        numbers[kind].append(number)
    runs = [
        (kind, numbers[kind][at : at + most])
        for kind, most in ((CARD, CARDS_MAX), (LETTER, LETTERS_MAX))
        for at in range(0, len(numbers[kind]), most)
    ]
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": work.tenant_id,
            "id": new_id(),
            "order_id": order.id,
            "number": number,
            "kind": kind,
            "numbers": run,
            "state": DUE,
        }
        for number, (kind, run) in enumerate(runs, 1)
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
        kind=CARD,
        gift_id=gift.id,
        numbers=[gift.number],
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

    A gift that goes another way by now is left out; where all of them do, there is no file.
    Locks: the file's row.
    Raises: PrintBusy.
    """
    row = _lock(work, print_id)
    if row.state not in (DUE, PRINTING):
        return None
    if row.claimed_until is not None and row.claimed_until > work.at:
        raise PrintBusy
    gifts = _list_cards(work, row)
    row.numbers, row.problems = [gift.number for gift in gifts], []
    if not gifts:
        row.state = GONE
        return None
    stale, row.file_id = row.file_id, new_id()
    row.state, row.claimed_until = PRINTING, work.at + CLAIM
    order = work.session.get(OrderRow, (work.tenant_id, row.order_id))
    assert order is not None
    return CardTask(
        tenant_id=work.tenant_id,
        print_id=row.id,
        order_id=order.id,
        file_id=row.file_id,
        stale_file_id=stale,
        kind=row.kind,
        design=order.design,
        face=write_face(work, order, row.kind, until=_last_day(work, gifts[0])),
        cards=tuple(_card(order, gift, row.kind) for gift in gifts),
    )


def _last_day(work: Work, gift: GiftRow) -> date:
    return last_day(gift.ends_at, tenancy.get_tenant(work.tenant_id).zone)


def write_face(work: Work, order: OrderRow, kind: str, *, until: date) -> dict[str, str]:
    """Return what stands on every card, or letter, of an order."""
    accent = designs.get_design(order.design).accent
    if kind == CARD:
        return face_of(order.sender_name, until, accent=accent, locale=order.locale)
    tenant = tenancy.get_tenant(work.tenant_id)
    return letter_face_of(
        order.sender_name,
        order.message,
        until,
        accent=accent,
        locale=order.locale,
        office=tenant.contact.offices.get(order.locale, "") or tenant.name_in(order.locale),
        phone=tenant.contact.phone,
    )


def _list_cards(work: Work, row: PrintRow) -> list[GiftRow]:
    return list(
        work.session.scalars(
            sa.select(GiftRow)
            .where(
                GiftRow.tenant_id == work.tenant_id,
                GiftRow.order_id == row.order_id,
                GiftRow.number.in_(row.numbers),
                GiftRow.channel == row.kind,
            )
            .order_by(GiftRow.number)
        )
    )


def _card(order: OrderRow, gift: GiftRow, kind: str) -> Card:
    assert order.kid is not None
    words = card_words if kind == CARD else letter_words
    return Card(
        serial=card_serial(order.number, gift.number),
        qr=build_link(gift.tenant_id, order.kid, gift.locator).upper(),
        words=words(open_person(gift), gift.locale),
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
            PrintRow.numbers != [],
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
