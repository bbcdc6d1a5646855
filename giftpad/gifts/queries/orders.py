"""Reading orders and what became of their gifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.gifts.errors import OrderNotFound
from giftpad.gifts.models import BalanceRow, GiftRow, OrderRow, ThanksRow
from giftpad.gifts.rules.contracts import CHANNELS
from giftpad.gifts.rules.gifts import BOUNCED, FAILED, OUTSTANDING, UNKNOWN
from giftpad.gifts.rules.orders import APPROVED_WITHIN, BALANCE, OrderDraft
from giftpad.kernel.work import Work

PAGE_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order; what is None is not settled before it is submitted."""

    id: UUID
    number: int
    state: str
    draft: OrderDraft
    codes: int
    kind: str
    balance_until: date | None
    unit: str
    value_minor: int | None
    fees_minor: int | None
    unclaimed: str | None
    repeats_meant: bool
    quantity: int
    issued: int
    run_id: UUID | None
    created_by: str
    created_at: datetime
    changed_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    refusal: str
    lapsed_at: datetime | None
    starts_at: datetime | None
    sent_at: datetime | None
    closed_at: datetime | None

    @property
    def total_minor(self) -> int | None:
        """What the order costs, once that is settled."""
        if self.value_minor is None or self.fees_minor is None:
            return None
        return self.quantity * self.value_minor + self.fees_minor

    @property
    def approve_by(self) -> datetime | None:
        """When it becomes a draft again if nobody has approved it."""
        return None if self.submitted_at is None else self.submitted_at + APPROVED_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """A page of orders, newest first; ``next_after`` continues it, None at the end."""

    items: tuple[OrderView, ...]
    next_after: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What became of the gifts of one order; each number counts gifts.

    ``sent`` counts those handed to a provider or never sent by us, and each later number is part
    of the one before, but for ``failed`` and ``unknown``, which are letters that did not arrive,
    or of which nobody knows.  ``outstanding`` counts those of which something can still be
    claimed.  ``claimed`` counts whoever claimed anything, ``kept`` whoever keeps
    a balance and ``used`` whoever has spent of it in a shop; ``kept_minor`` is part of
    ``claimed_minor``, and ``spent_minor`` of that.
    """

    issued: int
    sent: int
    delivered: int
    opened: int
    claimed: int
    cancelled: int
    expired: int
    failed: int
    unknown: int
    thanked: int
    outstanding_minor: int
    claimed_minor: int
    by_channel: Mapping[str, int]
    kept: int = 0
    used: int = 0
    kept_minor: int = 0
    spent_minor: int = 0
    outstanding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """How many gifts of an order were sent, delivered, opened and first claimed on one day."""

    on: date
    sent: int
    delivered: int
    opened: int
    claimed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """How many gifts of an order went one way, and how far these came."""

    name: str
    count: int
    sent: int
    delivered: int
    opened: int
    claimed: int


def to_order(row: OrderRow) -> OrderView:
    """Return a row as the value the rest of the house works with."""
    return OrderView(
        id=row.id,
        number=row.number,
        state=row.state,
        draft=OrderDraft(
            title=row.title,
            design=row.design,
            sender_name=row.sender_name,
            message=row.message,
            kind=row.kind,
            course_id=row.course_id,
            amount_minor=row.amount_minor,
            programme_id=row.programme_id,
            channel=row.channel,
            send_at=row.send_at,
            claim_by=row.claim_by,
            locale=row.locale,
            can_be_passed_on=row.can_be_passed_on,
        ),
        codes=row.codes,
        kind=row.kind,
        balance_until=row.balance_until,
        unit=row.unit,
        value_minor=row.value_minor,
        fees_minor=row.fees_minor,
        unclaimed=row.unclaimed,
        repeats_meant=row.repeats_meant,
        quantity=row.quantity,
        issued=row.issued_to,
        run_id=row.run_id,
        created_by=row.created_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        refusal=row.refusal,
        lapsed_at=row.lapsed_at,
        starts_at=row.starts_at,
        sent_at=row.sent_at,
        closed_at=row.closed_at,
    )


def get_order(work: Work, order_id: UUID) -> OrderView:
    """Return one order.

    Raises: OrderNotFound.
    """
    row = work.session.get(OrderRow, (work.tenant_id, order_id))
    if row is None:
        raise OrderNotFound
    return to_order(row)


def list_orders(
    work: Work, *, states: tuple[str, ...] = (), after: UUID | None = None, limit: int = 50
) -> OrderPage:
    """Return a page of orders, newest first, of some states or of all."""
    most = min(limit, PAGE_MAX)
    asked = sa.select(OrderRow).where(OrderRow.tenant_id == work.tenant_id)
    if states:
        asked = asked.where(OrderRow.state.in_(states))
    if after is not None:
        asked = asked.where(OrderRow.id < after)
    rows = list(work.session.scalars(asked.order_by(OrderRow.id.desc()).limit(most + 1)))
    items = tuple(to_order(row) for row in rows[:most])
    return OrderPage(items=items, next_after=items[-1].id if len(rows) > most else None)


def count_waiting(work: Work) -> int:
    """Return how many orders wait for somebody's approval."""
    return work.session.execute(
        sa.select(sa.func.count()).where(
            OrderRow.tenant_id == work.tenant_id, OrderRow.state == "submitted"
        )
    ).scalar_one()


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """An order with letters that did not arrive, or of which nobody knows."""

    order_id: UUID
    title: str
    count: int


def list_undelivered(work: Work, *, limit: int = 10) -> list[Undelivered]:
    """Return the orders with unclaimed gifts whose letter did not arrive, newest first."""
    rows = work.session.execute(
        sa.select(OrderRow.id, OrderRow.title, sa.func.count())
        .join(
            GiftRow,
            sa.and_(GiftRow.tenant_id == OrderRow.tenant_id, GiftRow.order_id == OrderRow.id),
        )
        .where(
            OrderRow.tenant_id == work.tenant_id,
            GiftRow.state == OUTSTANDING,
            GiftRow.delivery.in_((BOUNCED, FAILED, UNKNOWN)),
        )
        .group_by(OrderRow.id, OrderRow.title)
        .order_by(OrderRow.id.desc())
        .limit(min(limit, PAGE_MAX))
    )
    return [Undelivered(order_id=each, title=title, count=n) for each, title, n in rows]


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.count().filter(condition)


_BY_US = GiftRow.channel.in_(("mail", "sms"))
_ARRIVED = sa.or_(GiftRow.delivered_at.is_not(None), GiftRow.opened_at.is_not(None))
"""A provider says so, or the gift was opened: of mail and of cards often nobody says so."""


def get_progress(work: Work, order_id: UUID) -> Progress:
    """Return what became of the gifts of an order, in three queries however many there are."""
    mine = (GiftRow.tenant_id == work.tenant_id, GiftRow.order_id == order_id)
    left = GiftRow.value_minor - GiftRow.claimed_minor
    row = work.session.execute(
        sa.select(
            sa.func.count(),
            _count(sa.or_(sa.not_(_BY_US), GiftRow.sent_at.is_not(None))),
            _count(_ARRIVED),
            _count(GiftRow.opened_at.is_not(None)),
            _count(GiftRow.claimed_minor > 0),
            _count(GiftRow.state == "cancelled"),
            _count(GiftRow.state == "expired"),
            _count(GiftRow.state == OUTSTANDING),
            _count(GiftRow.delivery.in_((BOUNCED, FAILED))),
            _count(GiftRow.delivery == UNKNOWN),
            sa.func.coalesce(
                sa.func.sum(left - GiftRow.cancelled_minor - GiftRow.expired_minor), 0
            ),
            sa.func.coalesce(sa.func.sum(GiftRow.claimed_minor), 0),
            *(_count(GiftRow.channel == name) for name in CHANNELS),
        ).where(*mine)
    ).one()
    thanked = work.session.execute(
        sa.select(sa.func.count()).where(
            ThanksRow.tenant_id == work.tenant_id, ThanksRow.order_id == order_id
        )
    ).scalar_one()
    kept, used, kept_minor, spent_minor = work.session.execute(
        sa.select(
            sa.func.count(BalanceRow.gift_id.distinct()),
            sa.func.count(BalanceRow.gift_id.distinct()).filter(BalanceRow.spent_minor > 0),
            sa.func.coalesce(sa.func.sum(BalanceRow.amount_minor), 0),
            sa.func.coalesce(sa.func.sum(BalanceRow.spent_minor), 0),
        ).where(BalanceRow.tenant_id == work.tenant_id, BalanceRow.order_id == order_id)
    ).one()
    return Progress(
        issued=row[0],
        sent=row[1],
        delivered=row[2],
        opened=row[3],
        claimed=row[4],
        cancelled=row[5],
        expired=row[6],
        outstanding=row[7],
        failed=row[8],
        unknown=row[9],
        thanked=thanked,
        outstanding_minor=int(row[10]),
        claimed_minor=int(row[11]),
        by_channel=dict(zip(CHANNELS, row[12:], strict=True)),
        kept=kept,
        used=used,
        kept_minor=int(kept_minor),
        spent_minor=int(spent_minor),
    )


_DAYS = sa.text("""
    SELECT day, count(*) FILTER (WHERE what = 'sent'), count(*) FILTER (WHERE what = 'delivered'),
        count(*) FILTER (WHERE what = 'opened'), count(*) FILTER (WHERE what = 'claimed')
    FROM (
        SELECT w.what, (w.at AT TIME ZONE :zone)::date AS day
        FROM gifts g
        CROSS JOIN LATERAL (VALUES ('sent', g.sent_at), ('opened', g.opened_at),
            ('delivered', LEAST(g.delivered_at, g.opened_at)),
            ('claimed', CASE WHEN g.state = 'claimed' AND NOT :is_balance THEN g.ended_at END)
        ) AS w (what, at)
        WHERE g.tenant_id = :tenant AND g.order_id = :order AND w.at IS NOT NULL
        UNION ALL
        SELECT 'claimed', (min(used.at) AT TIME ZONE :zone)::date
        FROM gifts g
        CROSS JOIN LATERAL (
            SELECT c.claimed_at FROM gift_claims c
            WHERE c.tenant_id = g.tenant_id AND c.gift_id = g.id AND c.state <> 'withdrawn'
            UNION ALL
            SELECT b.kept_at FROM gift_balances b
            WHERE b.tenant_id = g.tenant_id AND b.gift_id = g.id
        ) AS used (at)
        WHERE :is_balance AND g.tenant_id = :tenant AND g.order_id = :order AND g.claimed_minor > 0
        GROUP BY g.id
    ) moments
    GROUP BY day ORDER BY day LIMIT :most
""")
DAYS_MAX = 400


def list_days(work: Work, order_id: UUID) -> list[Day]:
    """Return what happened to the gifts of an order day by day, in the tenant's zone.

    A balance is claimed on the day when something of it is first chosen or kept.
    Raises: OrderNotFound.
    """
    values = {
        "tenant": work.tenant_id,
        "order": order_id,
        "zone": tenancy.get_tenant(work.tenant_id).zone,
        "most": DAYS_MAX,
        "is_balance": get_order(work, order_id).kind == BALANCE,
    }
    return [
        Day(on=day, sent=sent, delivered=delivered, opened=opened, claimed=claimed)
        for day, sent, delivered, opened, claimed in work.session.execute(_DAYS, values)
    ]


def list_channels(work: Work, order_id: UUID) -> list[Channel]:
    """Return how far the gifts of an order came by each way that any of them went."""
    rows = work.session.execute(
        sa.select(
            GiftRow.channel,
            sa.func.count(),
            _count(sa.or_(sa.not_(_BY_US), GiftRow.sent_at.is_not(None))),
            _count(_ARRIVED),
            _count(GiftRow.opened_at.is_not(None)),
            _count(GiftRow.claimed_minor > 0),
        )
        .where(GiftRow.tenant_id == work.tenant_id, GiftRow.order_id == order_id)
        .group_by(GiftRow.channel)
    )
    found = [
        Channel(name=name, count=count, sent=sent, delivered=there, opened=opened, claimed=claimed)
        for name, count, sent, there, opened, claimed in rows
    ]
    return sorted(found, key=lambda each: -each.count)
