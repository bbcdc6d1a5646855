"""Taking printed cards out: on record first, then file by file, or all of it for a print house."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.gifts.adapters.press import per_page
from giftpad.gifts.errors import PrintGone, PrintNotFound
from giftpad.gifts.models import OrderRow, PrintRow
from giftpad.gifts.rules.cards import READY, card_serial
from giftpad.gifts.rules.kits import CardTicket, Kit
from giftpad.kernel.clock import local_date
from giftpad.kernel.work import Work


def open_cards(work: Work, order_id: UUID, *, number: int | None = None) -> list[CardTicket]:
    """Put on record that files of an order's cards are taken out, and return the tickets.

    All files are, or the one of this ``number``: the card that takes a lost one's place does not
    wait for files that were kept long enough and are gone.
    Raises: PrintNotFound if there are no cards, PrintGone unless every such file is ready.
    """
    which = () if number is None else (PrintRow.number == number,)
    order, tickets = _take(work, order_id, *which)
    _record(work, order, tickets, kind="pdf")
    return tickets


def open_kit(work: Work, order_id: UUID) -> Kit:
    """Put on record that all of an order's cards go to a print house, and return what it gets.

    A card that took a lost one's place is printed alone, and is not among them.

    Raises: as ``open_cards``.
    """
    order, tickets = _take(work, order_id, PrintRow.gift_id.is_(None))
    _record(work, order, tickets, kind="zip")
    tenant = tenancy.get_tenant(work.tenant_id)
    return Kit(
        order_id=order.id,
        order_number=order.number,
        title=order.title,
        made_on=local_date(work.at, tenant.zone),
        office=tenant.contact.offices.get(tenant.locale, "") or tenant.name,
        phone=tenant.contact.phone,
        email=tenant.contact.email,
        per_page=per_page(work.tenant_id),
        files=tuple(tickets),
    )


def _take(
    work: Work, order_id: UUID, *which: sa.ColumnElement[bool]
) -> tuple[OrderRow, list[CardTicket]]:
    rows = work.session.scalars(
        sa.select(PrintRow)
        .where(
            PrintRow.tenant_id == work.tenant_id,
            PrintRow.order_id == order_id,
            PrintRow.numbers != [],
            *which,
        )
        .order_by(PrintRow.gift_id.is_not(None), PrintRow.kind, PrintRow.number)
    ).all()
    if not rows:
        raise PrintNotFound
    if any(row.state != READY for row in rows):
        raise PrintGone
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    assert order is not None
    return order, [_ticket(order, row) for row in rows]


def _record(work: Work, order: OrderRow, tickets: Sequence[CardTicket], *, kind: str) -> None:
    audit.record(
        work,
        action="gift_cards.taken",
        subject=f"gift_order:{order.id}",
        details={
            "files": len(tickets),
            "cards": sum(ticket.quantity for ticket in tickets),
            "kind": kind,
        },
    )


def _ticket(order: OrderRow, row: PrintRow) -> CardTicket:
    assert row.file_id is not None
    assert row.sha256 is not None
    return CardTicket(
        tenant_id=row.tenant_id,
        print_id=row.id,
        file_id=row.file_id,
        file_name=f"{row.kind}s-{order.number}-{row.number:03d}.pdf",
        sha256=row.sha256,
        number=row.number,
        kind=row.kind,
        serials=tuple(card_serial(order.number, number) for number in row.numbers),
        page_count=row.page_count or 0,
    )
