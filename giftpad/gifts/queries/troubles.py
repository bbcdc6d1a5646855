"""Which orders are under way, and what each of them is stuck at; nothing here names anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import messaging
from giftpad.gifts.errors import OrderNotFound
from giftpad.gifts.models import ClaimRow, GiftRow, OrderRow, PrintRow
from giftpad.gifts.rules import cards
from giftpad.gifts.rules.gifts import (
    BOUNCED,
    FAILED,
    OUTSTANDING,
    PREPARING,
    RECEIVED,
    UNKNOWN,
)
from giftpad.gifts.rules.orders import APPROVED, CLOSED, DRAFT, ISSUING, SUBMITTED
from giftpad.gifts.rules.troubles import (
    CARDS_LATE,
    CARDS_MISSING,
    ISSUE_SILENT,
    LETTERS_BOUNCED,
    LETTERS_FAILED,
    LETTERS_PAUSED,
    LETTERS_SILENT,
    LETTERS_UNKNOWN,
    LETTERS_WAIT,
    NOT_APPROVED,
    NOT_ISSUING,
    NOT_STARTED,
    PARCELS_LATE,
    START_LATE,
    TOO_LATE,
    Trouble,
)
from giftpad.kernel.clock import end_of, local_date, start_of
from giftpad.kernel.work import Work
from giftpad.tenancy import get_tenant

OPEN_MAX = 500
_LETTERS = {FAILED: LETTERS_FAILED, UNKNOWN: LETTERS_UNKNOWN, BOUNCED: LETTERS_BOUNCED}
Troubles = Mapping[UUID, list[Trouble]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that is neither a draft nor closed, without a word of what it says."""

    order_id: UUID
    number: int
    state: str
    quantity: int
    issued: int
    since: datetime
    troubles: tuple[Trouble, ...]

    @property
    def can_be_redriven(self) -> bool:
        """Whether starting it again helps."""
        return any(trouble.can_be_redriven for trouble in self.troubles)


def list_open_orders(work: Work) -> list[OpenOrder]:
    """Return the orders under way, at most ``OPEN_MAX``: stuck ones first, then the newest.

    A handful of queries, however many orders there are.
    """
    rows = work.session.scalars(
        sa.select(OrderRow)
        .where(OrderRow.tenant_id == work.tenant_id, OrderRow.state.not_in((DRAFT, CLOSED)))
        .order_by(OrderRow.id.desc())
        .limit(OPEN_MAX)
    ).all()
    if not rows:
        return []
    found = [_view(row, troubles) for row, troubles in _judge(work, rows)]
    return sorted(found, key=lambda order: (not order.can_be_redriven, not order.troubles))


def get_open_order(work: Work, order_id: UUID) -> OpenOrder:
    """Return one order as ``list_open_orders`` does, whatever its state.

    Raises: OrderNotFound.
    """
    row = work.session.get(OrderRow, (work.tenant_id, order_id))
    if row is None:
        raise OrderNotFound
    ((_, troubles),) = _judge(work, [row])
    return _view(row, troubles)


def _view(row: OrderRow, troubles: Iterable[Trouble]) -> OpenOrder:
    return OpenOrder(
        order_id=row.id,
        number=row.number,
        state=row.state,
        quantity=row.quantity,
        issued=row.issued_to,
        since=row.changed_at,
        troubles=tuple(sorted(troubles, key=lambda one: (not one.can_be_redriven, one.since))),
    )


def _judge(work: Work, rows: Sequence[OrderRow]) -> list[tuple[OrderRow, list[Trouble]]]:
    found: dict[UUID, list[Trouble]] = defaultdict(list)
    for several in (
        _letters(work, rows),
        _runs(work, rows),
        _cards(work, rows),
        _parcels(work, rows),
    ):
        for order_id, troubles in several.items():
            found[order_id].extend(troubles)
    return [(row, [*_itself(work, row), *found[row.id]]) for row in rows]


def _itself(work: Work, row: OrderRow) -> list[Trouble]:
    if row.state == SUBMITTED and row.send_at is not None and row.send_at < work.at:
        return [Trouble(code=NOT_APPROVED, since=row.send_at)]
    if row.state in (APPROVED, ISSUING) and row.claim_by is not None:
        over_at = end_of(row.claim_by, get_tenant(work.tenant_id).zone)
        if over_at <= work.at:  # nobody could claim what would be issued now
            left = row.quantity - row.issued_to
            return [Trouble(code=TOO_LATE, since=over_at, count=left)]
    if row.state == APPROVED and row.starts_at is not None and row.starts_at < work.at - START_LATE:
        return [Trouble(code=NOT_STARTED, since=row.starts_at)]
    if row.state == ISSUING and row.changed_at < work.at - ISSUE_SILENT:
        return [Trouble(code=NOT_ISSUING, since=row.changed_at, count=row.quantity - row.issued_to)]
    return []


def _gathered(rows: Iterable[tuple[UUID, Trouble]]) -> Troubles:
    found: dict[UUID, list[Trouble]] = defaultdict(list)
    for order_id, trouble in rows:
        found[order_id].append(trouble)
    return found


def _letters(work: Work, rows: Sequence[OrderRow]) -> Troubles:
    counted = work.session.execute(
        sa.select(
            GiftRow.order_id,
            GiftRow.delivery,
            sa.func.count(),
            sa.func.min(sa.func.coalesce(GiftRow.queued_at, GiftRow.created_at)),
        )
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.order_id.in_([row.id for row in rows]),
            GiftRow.state == OUTSTANDING,
            GiftRow.delivery.in_((BOUNCED, FAILED, UNKNOWN)),
        )
        .group_by(GiftRow.order_id, GiftRow.delivery)
    )
    return _gathered(
        (order_id, Trouble(code=_LETTERS[delivery], since=since, count=count))
        for order_id, delivery, count, since in counted
    )


def _runs(work: Work, rows: Sequence[OrderRow]) -> Troubles:
    orders = {row.run_id: row for row in rows if row.run_id is not None}

    def judge() -> Iterable[tuple[UUID, Trouble]]:
        for run in messaging.list_open_runs(work):
            row = orders.get(run.id)
            if row is None:
                continue
            if run.paused_at is not None:
                yield (
                    row.id,
                    Trouble(code=LETTERS_PAUSED, since=run.paused_at, count=run.waiting),
                )
            elif run.ends_at is None and row.changed_at < work.at - LETTERS_SILENT:
                yield row.id, Trouble(code=LETTERS_WAIT, since=row.changed_at, count=run.waiting)

    return _gathered(judge())


def _cards(work: Work, rows: Sequence[OrderRow]) -> Troubles:
    sent = {row.id: row.sent_at for row in rows if row.sent_at is not None}
    counted: Any = work.session.execute(
        sa.select(
            PrintRow.order_id,
            sa.func.count(),
            sa.func.bool_or(PrintRow.state == cards.FAILED),
        )
        .where(
            PrintRow.tenant_id == work.tenant_id,
            PrintRow.order_id.in_(list(sent)),
            stuck_print(work.at),
        )
        .group_by(PrintRow.order_id)
    )
    return _gathered(
        (order_id, Trouble(code=CARDS_MISSING, since=sent[order_id], count=count))
        for order_id, count, has_failed in counted
        if has_failed or sent[order_id] < work.at - CARDS_LATE
    )


def stuck_print(at: datetime) -> sa.ColumnElement[bool]:
    """Return what tells a file of cards that failed, or that nobody is at."""
    is_free = sa.or_(PrintRow.claimed_until.is_(None), PrintRow.claimed_until < at)
    return sa.or_(
        PrintRow.state == cards.FAILED,
        sa.and_(PrintRow.state.in_((cards.DUE, cards.PRINTING)), is_free),
    )


def _parcels(work: Work, rows: Sequence[OrderRow]) -> Troubles:
    zone = get_tenant(work.tenant_id).zone
    counted: Any = work.session.execute(
        sa.select(ClaimRow.order_id, sa.func.count(), sa.func.min(ClaimRow.expected_on))
        .where(
            ClaimRow.tenant_id == work.tenant_id,
            ClaimRow.order_id.in_([row.id for row in rows]),
            ClaimRow.state.in_((RECEIVED, PREPARING)),
            ClaimRow.kind == "goods",
            ClaimRow.expected_on < local_date(work.at, zone),
        )
        .group_by(ClaimRow.order_id)
    )
    return _gathered(
        (order_id, Trouble(code=PARCELS_LATE, since=start_of(first, zone), count=count))
        for order_id, count, first in counted
    )
