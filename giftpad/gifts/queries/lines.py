"""Reading the recipients of a draft."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.models import LineRow, OrderRow, person_place
from giftpad.gifts.rules.contracts import CODE
from giftpad.gifts.rules.recipients import Fault
from giftpad.kernel.work import Work

PAGE_MAX = 200
REPEATS_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCounts:
    """How the recipients of a draft stand; ``by_channel`` counts those without fault."""

    total: int
    faulty: int
    repeated: int
    by_channel: Mapping[str, int]

    @property
    def good(self) -> int:
        """How many would get a gift."""
        return self.total - self.faulty


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """One recipient of a draft, as typed and as understood."""

    number: int
    cells: Mapping[str, str]
    name: str
    address: str
    channel: str
    note: str
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePage:
    """A page of recipients; ``next_after`` is the last number, None at the end."""

    items: tuple[LineView, ...]
    next_after: int | None


def _of(work: Work, order_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (LineRow.tenant_id == work.tenant_id, LineRow.order_id == order_id)


_CLEAN = LineRow.faults == sa.text("'[]'::jsonb")


def count_lines(work: Work, order_id: UUID) -> LineCounts:
    """Count the recipients of a draft, by channel, faulty ones, and those with one address.

    Codes without names count as good ones.
    """
    order = work.session.get(OrderRow, (work.tenant_id, order_id))
    if order is not None and order.codes:
        return LineCounts(total=order.codes, faulty=0, repeated=0, by_channel={CODE: order.codes})
    rows = work.session.execute(
        sa.select(LineRow.channel, _CLEAN, sa.func.count())
        .where(*_of(work, order_id))
        .group_by(LineRow.channel, _CLEAN)
    ).all()
    by_channel: dict[str, int] = {}
    for channel, is_clean, count in rows:
        if is_clean:
            by_channel[channel] = by_channel.get(channel, 0) + count
    total = sum(count for _, _, count in rows)
    indexed = sa.select(sa.func.count() - sa.func.count(sa.distinct(LineRow.address_index))).where(
        *_of(work, order_id), LineRow.address_index.is_not(None), _CLEAN
    )
    return LineCounts(
        total=total,
        faulty=total - sum(by_channel.values()),
        repeated=work.session.execute(indexed).scalar_one(),
        by_channel=by_channel,
    )


def list_lines(
    work: Work, order_id: UUID, *, faulty_only: bool = False, after: int = 0, limit: int = 50
) -> LinePage:
    """Return a page of the recipients of a draft, in the order of the file."""
    most = min(limit, PAGE_MAX)
    asked = (
        sa.select(LineRow)
        .where(*_of(work, order_id), LineRow.number > after)
        .order_by(LineRow.number)
        .limit(most + 1)
    )
    if faulty_only:
        asked = asked.where(sa.not_(_CLEAN))
    rows = list(work.session.scalars(asked))
    items = tuple(_view(row) for row in rows[:most])
    return LinePage(items=items, next_after=items[-1].number if len(rows) > most else None)


def _view(row: LineRow) -> LineView:
    person = _open(row, "person_sealed", row.person_sealed)
    return LineView(
        number=row.number,
        cells=_open(row, "cells_sealed", row.cells_sealed),
        name=person["name"],
        address=person["address"],
        channel=row.channel,
        note=person["note"],
        faults=tuple(Fault(**fault) for fault in row.faults),
    )


def _open(row: LineRow, column: str, sealed: bytes) -> dict[str, str]:
    place = person_place(row.tenant_id, row.id, column)
    opened: dict[str, str] = json.loads(tenancy.open_text(row.tenant_id, place, sealed))
    return opened


def list_repeats(work: Work, order_id: UUID) -> list[tuple[int, ...]]:
    """Return the numbers of the lines that share one address, group by group, a few of them."""
    groups = (
        sa.select(sa.func.array_agg(sa.text("number ORDER BY number")))
        .select_from(LineRow)
        .where(*_of(work, order_id), LineRow.address_index.is_not(None), _CLEAN)
        .group_by(LineRow.address_index)
        .having(sa.func.count() > 1)
        .limit(REPEATS_SHOWN_MAX)
    )
    found = [tuple(numbers) for (numbers,) in work.session.execute(groups)]
    return sorted(found)
