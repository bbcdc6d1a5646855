"""Reading how the cards of an order stand, and the files themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.gifts.adapters import read_file
from giftpad.gifts.models import PrintRow
from giftpad.kernel.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintView:
    """A file of cards; ``problems`` says in words why it failed.

    ``replaces`` is the number of the gift whose lost card it takes the place of, alone.
    """

    number: int
    kind: str
    quantity: int
    state: str
    page_count: int | None
    problems: tuple[str, ...]
    ready_at: datetime | None
    replaces: int | None


def list_prints(work: Work, order_id: UUID) -> list[PrintView]:
    """Return the files of an order's cards, in their order."""
    rows = work.session.scalars(
        sa.select(PrintRow)
        .where(
            PrintRow.tenant_id == work.tenant_id,
            PrintRow.order_id == order_id,
            PrintRow.numbers != [],
        )
        .order_by(PrintRow.number)
    )
    return [
        PrintView(
            number=row.number,
            kind=row.kind,
            quantity=len(row.numbers),
            state=row.state,
            page_count=row.page_count,
            problems=tuple(row.problems),
            ready_at=row.ready_at,
            replaces=row.numbers[0] if row.gift_id else None,
        )
        for row in rows
    ]


def read_cards(tenant_id: UUID, print_id: UUID, file_id: UUID, *, sha256: str) -> bytes | None:
    """Return a file of cards by what its ticket says; None if it is gone or was changed."""
    return read_file(tenant_id, print_id, file_id, sha256=sha256)
