"""The recipients of a draft: taken in, mended in place, left out.

Hides: what is sealed, how a repeated address is found without being readable.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.errors import CodesChosen, LineNotFound, TooManyLines
from giftpad.gifts.models import LineRow, OrderRow, person_place
from giftpad.gifts.queries.finding import index_address
from giftpad.gifts.rules.orders import DRAFT, LINES_MAX
from giftpad.gifts.rules.recipients import Fault, Recipient, judge_recipient
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed

DRAFT_KEPT = timedelta(days=90)
"""A draft nobody submits is kept no longer than this, for it holds names and addresses."""
PIECE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One recipient as handed in: the line of the file, and the cells by field."""

    line: int
    cells: Mapping[str, str]
    has_extra: bool = False


def take_recipients(
    work: Work, order_id: UUID, handed_in: Iterable[Cells], *, replaces: bool
) -> int:
    """Take recipients into a draft, faulty ones too, and return how many there are then.

    ``replaces`` throws away those that were there; else the new ones come after them.
    Locks: the order.
    Raises: OrderNotFound, OrderWrongState, CodesChosen, TooManyLines.
    """
    order = lock_order(work, order_id, DRAFT)
    if order.codes:
        raise CodesChosen(count=order.codes)
    if replaces:
        work.session.execute(
            sa.delete(LineRow).where(
                LineRow.tenant_id == work.tenant_id, LineRow.order_id == order_id
            )
        )
    last, count = work.session.execute(
        sa.select(sa.func.coalesce(sa.func.max(LineRow.number), 0), sa.func.count()).where(
            LineRow.tenant_id == work.tenant_id, LineRow.order_id == order_id
        )
    ).one()
    judged = _judge_all(order, handed_in, after=0 if replaces else last)
    touched: set[str] = set()
    while piece := list(islice(judged, PIECE)):
        count += len(piece)
        touched.update(each.external_id for each in piece)
        if count > LINES_MAX:
            raise TooManyLines(most=LINES_MAX)
        work.session.execute(sa.insert(LineRow), [_row(work, order_id, each) for each in piece])
    order.changed_at = work.at
    order.repeats_meant = False
    _mark_repeated_ids(work, order_id, touched)
    return int(count)


def _judge_all(order: OrderRow, handed_in: Iterable[Cells], *, after: int) -> Iterator[Recipient]:
    for at, each in enumerate(handed_in, 1):
        yield judge_recipient(
            after + at if after else each.line,
            each.cells,
            channel=order.channel,
            locale=order.locale,
            extra=each.has_extra,
        )


def _row(work: Work, order_id: UUID, recipient: Recipient, line_id: UUID | None = None) -> Any:
    line_id = line_id or new_id()
    person = {
        "name": recipient.name,
        "address": recipient.address,
        "note": recipient.note,
    }
    if recipient.postal is not None:
        person |= recipient.postal.as_json()
    return {
        "tenant_id": work.tenant_id,
        "id": line_id,
        "order_id": order_id,
        "number": recipient.line,
        "seq": None,
        "channel": recipient.channel,
        "locale": recipient.locale,
        "external_id": recipient.external_id,
        "address_index": index_address(work, recipient.index_words),
        "cells_sealed": _seal(work, line_id, "cells_sealed", dict(recipient.cells)),
        "person_sealed": _seal(work, line_id, "person_sealed", person),
        "faults": [fault.as_json() for fault in recipient.faults],
        "created_at": work.at,
        "delete_after": work.at + DRAFT_KEPT,
    }


def _seal(work: Work, line_id: UUID, column: str, values: Mapping[str, str]) -> bytes:
    place = person_place(work.tenant_id, line_id, column)
    return tenancy.seal_text(work.tenant_id, place, json.dumps(values, ensure_ascii=False))


_REPEATED_IDS = """
    UPDATE gift_lines l
    SET faults = COALESCE((
            SELECT jsonb_agg(f) FROM jsonb_array_elements(l.faults) AS f
            WHERE f->>'code' NOT IN ('external_id.repeated', 'external_id.known')
        ), '[]'::jsonb) || COALESCE(n.fault, '[]'::jsonb)
    FROM (
        SELECT m.id, CASE
            WHEN m.external_id = '' THEN NULL
            WHEN m.first < m.number THEN jsonb_build_array(jsonb_build_object(
                'column', 'external_id', 'code', 'external_id.repeated',
                'params', jsonb_build_object('line', m.first)))
            WHEN EXISTS (SELECT 1 FROM gifts g
                WHERE g.tenant_id = :tenant AND g.external_id = m.external_id)
                THEN jsonb_build_array(jsonb_build_object('column', 'external_id',
                    'code', 'external_id.known', 'params', jsonb_build_object()))
            END AS fault
        FROM (
            SELECT id, number, external_id,
                min(number) OVER (PARTITION BY external_id) AS first
            FROM gift_lines WHERE tenant_id = :tenant AND order_id = :order {which}
        ) m
    ) n
    WHERE l.tenant_id = :tenant AND l.id = n.id AND l.order_id = :order
        AND (n.fault IS NOT NULL OR l.faults @? '$[*] ? (@.code starts with "external_id.")')
"""
"""References are judged last and all together: which line is the first shows only then."""
_ALL_OF_THEM = sa.text(_REPEATED_IDS.format(which=""))
_SOME_OF_THEM = sa.text(_REPEATED_IDS.format(which="AND external_id = ANY(:touched)"))
TOUCHED_MAX = 1000
"""Of more references than these all are judged: that is one pass over the draft."""


def _mark_repeated_ids(work: Work, order_id: UUID, touched: Collection[str] | None = None) -> None:
    """Judge the references of a draft anew; ``touched`` are those of which a line came or went."""
    values: dict[str, object] = {"tenant": work.tenant_id, "order": order_id}
    if touched is None or len(touched) > TOUCHED_MAX:
        work.session.execute(_ALL_OF_THEM, values)
    elif mine := sorted(set(touched) - {""}):
        work.session.execute(_SOME_OF_THEM, values | {"touched": mine})


def mend_line(work: Work, order_id: UUID, number: int, cells: Mapping[str, str]) -> list[Fault]:
    """Write other cells into one line of a draft and return what is still wrong with it.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState, LineNotFound.
    """
    mend_lines(work, order_id, {number: cells})
    return [Fault(**fault) for fault in _find_line(work, order_id, number).faults]


def mend_lines(work: Work, order_id: UUID, mends: Mapping[int, Mapping[str, str]]) -> None:
    """Write other cells into lines of a draft, by the number of each; all or none.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState, LineNotFound.
    """
    order = lock_order(work, order_id, DRAFT)
    touched: set[str] = set()
    for number, cells in mends.items():
        touched |= _mend(work, order, number, cells)
    order.changed_at = work.at
    work.session.flush()  # references are judged by the database, over all lines
    _mark_repeated_ids(work, order_id, touched)
    work.session.expire_all()


def _mend(work: Work, order: OrderRow, number: int, cells: Mapping[str, str]) -> set[str]:
    """Write other cells into a line; return the references it had and has."""
    row = _find_line(work, order.id, number)
    before = row.external_id
    kept = json.loads(
        tenancy.open_text(
            work.tenant_id,
            person_place(work.tenant_id, row.id, "cells_sealed"),
            row.cells_sealed,
        )
    )
    recipient = judge_recipient(
        number, {**kept, **cells}, channel=order.channel, locale=order.locale
    )
    values = _row(work, order.id, recipient, row.id)
    for name in ("id", "tenant_id", "order_id", "number", "created_at", "delete_after"):
        del values[name]
    for name, value in values.items():
        setattr(row, name, value)
    return {before, recipient.external_id}


def _find_line(work: Work, order_id: UUID, number: int) -> LineRow:
    row = work.session.execute(
        sa.select(LineRow).where(
            LineRow.tenant_id == work.tenant_id,
            LineRow.order_id == order_id,
            LineRow.number == number,
        )
    ).scalar_one_or_none()
    if row is None:
        raise LineNotFound
    return row


def leave_out(work: Work, order_id: UUID, numbers: Iterable[int] | None = None) -> int:
    """Take lines out of a draft and return how many; None takes out all faulty ones.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState.
    """
    order = lock_order(work, order_id, DRAFT)
    which = (
        LineRow.faults != sa.text("'[]'::jsonb")
        if numbers is None
        else LineRow.number.in_(list(numbers))
    )
    left = work.session.scalars(
        sa.delete(LineRow)
        .where(LineRow.tenant_id == work.tenant_id, LineRow.order_id == order_id, which)
        .returning(LineRow.external_id)
        .execution_options(synchronize_session=False)
    ).all()
    order.changed_at = work.at
    _mark_repeated_ids(work, order_id, set(left))
    return len(left)


def mean_repeats(work: Work, order_id: UUID) -> None:
    """Note that whoever stands in a draft twice shall get two gifts.

    Locks: the order.
    Raises: OrderNotFound, OrderWrongState.
    """
    order = lock_order(work, order_id, DRAFT)
    order.repeats_meant, order.changed_at = True, work.at


_REPEATED = sa.text("""
    DELETE FROM gift_lines WHERE tenant_id = :tenant AND id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY address_index ORDER BY number) AS place
            FROM gift_lines
            WHERE tenant_id = :tenant AND order_id = :order AND address_index IS NOT NULL
                AND faults = '[]'::jsonb
        ) placed WHERE place > 1
    )
""")


def drop_repeats(work: Work, order_id: UUID) -> int:
    """Keep of recipients with one address only the first; return how many were taken out.

    Faulty lines count for nothing here: the good one must not go for the sake of such a one.
    Locks: the order.
    Raises: OrderNotFound, OrderWrongState.
    """
    lock_order(work, order_id, DRAFT).changed_at = work.at
    result = work.session.execute(_REPEATED, {"tenant": work.tenant_id, "order": order_id})
    _mark_repeated_ids(work, order_id)
    return rows_changed(result)
