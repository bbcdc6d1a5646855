"""Find payments and what moved with them: one by its id or key, many by what they share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import events, guard
from giftpad.kernel.ids import first_id_at
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.payments.errors import PaymentNotFound
from giftpad.payments.events import PaymentCaptured
from giftpad.payments.models import Payment, PaymentHistory, PaymentReversal
from giftpad.payments.rules import (
    Movement,
    PaymentFilter,
    PaymentView,
    Totals,
    WantedState,
    state_of,
)

PAGE_MAX = 200
READ_LAG = timedelta(minutes=1)
"""Payments younger than this are listed from the write side, in case the read side lags."""
READ_SIDE = "payments.note_captured"
"""Who writes the read side."""
CLOCK_SLACK = timedelta(minutes=5)
"""How far the application's clock, which makes the ids, may be from the database's."""
BEFORE_ALL_PAYMENTS = datetime(2020, 1, 1, tzinfo=UTC)
AFTER_ALL_PAYMENTS = datetime(2200, 1, 1, tzinfo=UTC)
REVERSALS = {"voided": "void", "refunded": "refund"}


def _view(row: Payment) -> PaymentView:
    return PaymentView(
        id=row.id,
        state=state_of(row.amount_minor, row.refunded_minor, row.voided_at),
        kind=row.kind,
        amount_minor=row.amount_minor,
        balance_after_minor=row.balance_after_minor,
        refunded_minor=row.refunded_minor,
        unit=row.unit,
        shop_id=row.shop_id,
        programme_id=row.programme_id,
        account_id=row.account_id,
        locator=row.locator,
        client_id=row.client_id,
        at=row.at,
    )


def get_payment(work: Work, payment_id: UUID) -> PaymentView:
    """Return one payment; a caller bound to a shop sees that shop's only.

    Raises: PaymentNotFound.
    """
    row = work.session.execute(
        sa.select(Payment).where(Payment.tenant_id == work.tenant_id, Payment.id == payment_id)
    ).scalar_one_or_none()
    shop_id = work.scope.actor.shop_id
    if row is None or (shop_id is not None and row.shop_id != shop_id):
        raise PaymentNotFound
    return _view(row)


def _is_in_state(
    work: Work, payment_id: sa.ColumnElement[UUID], state: WantedState
) -> sa.ColumnElement[bool]:
    """Whether a payment was given back, by what is written of it and not by what is read."""
    given = sa.exists().where(
        PaymentReversal.tenant_id == work.tenant_id, PaymentReversal.payment_id == payment_id
    )
    if state == "captured":
        return ~given
    return given.where(PaymentReversal.kind == REVERSALS[state])


def _wanted_rows(
    work: Work,
    table: type[Payment | PaymentHistory],
    own_id: sa.ColumnElement[UUID],
    wanted: PaymentFilter,
) -> list[sa.ColumnElement[bool]]:
    """Return what a row must be; ``own_id`` is the payment's id where an index has it in order."""
    shop_id = work.scope.actor.shop_id or wanted.shop_id
    conditions = [table.tenant_id == work.tenant_id]
    if wanted.before is not None:
        conditions.append(own_id < wanted.before)
    if shop_id is not None:
        conditions.append(table.shop_id == shop_id)
    if wanted.account_id is not None:
        conditions.append(table.account_id == wanted.account_id)
    if wanted.programme_id is not None:
        conditions.append(table.programme_id == wanted.programme_id)
    if wanted.state is not None:
        conditions.append(_is_in_state(work, own_id, wanted.state))
    if wanted.since is not None:
        since = max(wanted.since, BEFORE_ALL_PAYMENTS)
        conditions.append(own_id >= first_id_at(since - CLOCK_SLACK))
        conditions.append(table.at >= since)
    if wanted.until is not None:
        until = max(BEFORE_ALL_PAYMENTS, min(wanted.until, AFTER_ALL_PAYMENTS))
        # Without a bound on the id an old month would be looked for through all that is newer.
        conditions.append(own_id < first_id_at(until + CLOCK_SLACK))
        conditions.append(table.at < until)
    return conditions


def _read_side_ends(work: Work) -> UUID:
    """Return the first payment that the read side may not know: however far it lags, or fails."""
    oldest = events.find_oldest_untaken(work, PaymentCaptured.name, READ_SIDE)
    newest = first_id_at(work.at - READ_LAG)
    return newest if oldest is None else min(newest, oldest)


def _wanted_ids(work: Work, wanted: PaymentFilter, limit: int | None) -> sa.Subquery:
    """Return the ids of the payments that are wanted, the newest ``limit`` of them.

    A shop's, an account's or a programme's payments are found on the read side, which has an
    index for each, and those it may not know yet on the write side, which has none but its
    primary key so that paying stays fast.  Those given back are few: without a shop or an account
    they are found by their reversals, or else each page would look through what was not.
    """
    newest: sa.UnaryExpression[UUID] = sa.desc("id")
    in_one_place = (work.scope.actor.shop_id or wanted.shop_id or wanted.account_id) is not None
    if wanted.state in REVERSALS and not in_one_place:
        return _given_back(work, wanted).order_by(newest).limit(limit).subquery()
    own_id: sa.ColumnElement[UUID] = Payment.id  # type: ignore[assignment]
    write_side = sa.select(own_id.label("id")).where(*_wanted_rows(work, Payment, own_id, wanted))
    if not in_one_place and wanted.programme_id is None:
        return write_side.order_by(newest).limit(limit).subquery()
    read_id: sa.ColumnElement[UUID] = PaymentHistory.payment_id  # type: ignore[assignment]
    read_side = sa.select(read_id.label("id")).where(
        *_wanted_rows(work, PaymentHistory, read_id, wanted), PaymentHistory.kind == "pay"
    )
    recent = write_side.where(Payment.id >= _read_side_ends(work))
    return sa.union(
        sa.select(read_side.order_by(newest).limit(limit).subquery().c.id),
        sa.select(recent.order_by(newest).limit(limit).subquery().c.id),
    ).subquery()


def _given_back(work: Work, wanted: PaymentFilter) -> sa.Select[UUID]:
    """Return the ids of payments that were voided or refunded, by the index of reversals."""
    assert wanted.state is not None
    own_id: sa.ColumnElement[UUID] = PaymentReversal.payment_id  # type: ignore[assignment]
    same = (Payment.tenant_id == PaymentReversal.tenant_id) & (Payment.id == own_id)
    return (
        sa.select(own_id.label("id"))
        .distinct()
        .join(Payment, same)
        .where(
            PaymentReversal.tenant_id == work.tenant_id,
            PaymentReversal.kind == REVERSALS[wanted.state],
            *_wanted_rows(work, Payment, own_id, replace(wanted, state=None)),
        )
    )


def list_payments(work: Work, wanted: PaymentFilter) -> list[PaymentView]:
    """Return a page of payments, newest first; a caller bound to a shop sees that shop's only."""
    limit = min(wanted.limit, PAGE_MAX)
    ids = _wanted_ids(work, wanted, limit)
    statement = (
        sa.select(Payment)
        .join(ids, ids.c.id == Payment.id)
        .where(Payment.tenant_id == work.tenant_id)
        .order_by(Payment.id.desc())
        .limit(limit)
    )
    return [_view(row) for row in work.session.execute(statement).scalars()]


def sum_payments(work: Work, wanted: PaymentFilter) -> Totals:
    """Return the sums of all payments that are wanted; its ``limit`` and ``before`` do not count.

    What was given back counts with the payment it belongs to, whenever that was.
    """
    ids = _wanted_ids(work, replace(wanted, before=None), None)
    given_back = sa.case(
        (Payment.voided_at.is_not(None), Payment.amount_minor), else_=Payment.refunded_minor
    )
    row = work.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(Payment.voided_at),
            sa.func.coalesce(sa.func.sum(Payment.amount_minor), 0),
            sa.func.coalesce(sa.func.sum(given_back), 0),
        )
        .select_from(Payment)
        .join(ids, ids.c.id == Payment.id)
        .where(Payment.tenant_id == work.tenant_id)
    ).one()
    amount, given = int(row[2]), int(row[3])
    return Totals(
        count=row[0],
        voided_count=row[1],
        amount_minor=amount,
        given_back_minor=given,
        net_minor=amount - given,
    )


def last_payment(
    work: Work, shop_id: UUID, account_id: UUID, since: datetime
) -> PaymentView | None:
    """Return the newest payment with an account in a shop since an instant that still stands."""
    wanted = PaymentFilter(
        shop_id=shop_id, account_id=account_id, since=since, state="captured", limit=1
    )
    return next(iter(list_payments(work, wanted)), None)


def find_paid(scope: Scope, key: str) -> PaymentView | None:
    """Return the payment that this caller made with an idempotency key.

    None means that none has committed so far; only paying again with the key settles it.
    """
    with unit_of_work(scope) as work:
        payment_id = guard.find_answer_ref(work, key)
        return None if payment_id is None else get_payment(work, payment_id)


_MOVEMENTS = sa.text("""
    WITH ids AS (
        SELECT payment_id AS id FROM payment_history
        WHERE tenant_id = :tenant AND account_id = :account AND kind = 'pay'
        UNION
        SELECT id FROM payment_payments
        WHERE tenant_id = :tenant AND account_id = :account AND id >= :read_side_ends
    ), paid AS (
        SELECT p.* FROM ids JOIN payment_payments p ON p.tenant_id = :tenant AND p.id = ids.id
    )
    SELECT 'pay' AS kind, at, shop_id, amount_minor, balance_after_minor, id AS payment_id,
        id, '', actor
    FROM paid
    UNION ALL
    SELECT r.kind, r.at, p.shop_id, r.amount_minor, r.balance_after_minor, p.id, r.id, r.reason,
        r.actor
    FROM paid p JOIN payment_reversals r ON r.tenant_id = :tenant AND r.payment_id = p.id
    ORDER BY at DESC, id DESC LIMIT :most
""")


def list_movements(work: Work, account_id: UUID, limit: int = 50) -> list[Movement]:
    """Return what moved on an account, newest first, whole however far the read side lags."""
    values = {
        "tenant": work.tenant_id,
        "account": account_id,
        "read_side_ends": _read_side_ends(work),
        "most": min(limit, PAGE_MAX),
    }
    return [
        Movement(
            kind=row[0],
            at=row[1],
            shop_id=row[2],
            amount_minor=row[3],
            balance_minor=row[4],
            payment_id=row[5],
            reason=row[7],
            actor=row[8],
        )
        for row in work.session.execute(_MOVEMENTS, values)
    ]
