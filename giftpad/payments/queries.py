"""Look up what a code opens; list what was paid; prove that payments and books agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import guard, tenancy
from giftpad.kernel import codes
from giftpad.kernel.clock import local_date
from giftpad.kernel.db import database
from giftpad.kernel.ids import first_id_at
from giftpad.kernel.work import Scope, Work
from giftpad.ledger import Difference
from giftpad.payments.errors import InstrumentNotFound, OtherShop, PaymentNotFound
from giftpad.payments.models import Payment, PaymentHistory, PaymentInstrument
from giftpad.payments.rules import (
    InstrumentView,
    Looked,
    PaymentFilter,
    PaymentView,
    hash_typed,
    pepper,
    qr_key,
    state_of,
)

PAGE_MAX = 200
INSTRUMENTS_MAX = 1000
READ_LAG = timedelta(minutes=1)
"""Payments younger than this are listed from the write side, in case the read side lags."""
CLOCK_SLACK = timedelta(minutes=5)
BEFORE_ALL_PAYMENTS = datetime(2020, 1, 1, tzinfo=UTC)
"""How far the application's clock, which makes the ids, may be from the database's."""
DIFFERENCES_MAX = 1000
OUTBOX_SURELY_KEPT = timedelta(days=29)

_LOOK_UP = (
    "SELECT reason, locator, programme_id, unit, ceiling_minor, balance_minor, starts_at, ends_at"
    " FROM payments_look_up(%(tenant)s, %(locator)s, %(code_hashes)s::bytea[], %(shop)s)"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a presented code may open: a proven locator, or the hashes a typed code may have."""

    locator: int | None
    code_hashes: list[bytes]


def find_opened(scope: Scope, code: str) -> Opened:
    """Take a presented code apart without a query: forged and foreign ones end here.

    A slip of the keyboard shows by the check symbol and is not counted as a guess.
    Raises: InstrumentNotFound, TooManyFailures.
    """
    caller = scope.actor.client_id or scope.actor.id
    guard.check_failures(caller)
    qr = codes.parse_qr(code)
    if qr is not None:
        ring = tenancy.find_ring_key(scope.tenant_id, qr.kid)
        if (
            qr.tag == tenancy.get_tenant(scope.tenant_id).tag
            and ring is not None
            and codes.is_genuine(qr, qr_key(ring.key))
            and tenancy.is_printed_address(qr.address)
        ):
            return Opened(qr.locator, [])
        guard.count_failure(caller)
        raise InstrumentNotFound
    symbols = codes.parse_typed(code)
    if symbols is None:
        raise InstrumentNotFound
    rings = tenancy.list_ring_keys(scope.tenant_id)
    hashes = [hash_typed(pepper(ring.key), scope.tenant_id, symbols) for ring in rings]
    return Opened(None, hashes)


def last_day(ends_at: datetime | None, zone: str) -> str | None:
    """Return the last valid date of what ends at an instant, in ISO form."""
    if ends_at is None:
        return None
    return local_date(ends_at - timedelta(microseconds=1), zone).isoformat()


def look_up(scope: Scope, code: str, shop_id: UUID) -> Looked:
    """Tell a shop what a code opens and whether it may be spent there now, in one round trip.

    Raises: InstrumentNotFound, OtherShop, TooManyFailures.
    """
    actor = scope.actor
    if actor.shop_id is not None and actor.shop_id != shop_id:
        raise OtherShop
    opened = find_opened(scope, code)
    row = database().hot_call(
        _LOOK_UP,
        {
            "tenant": scope.tenant_id,
            "locator": opened.locator,
            "code_hashes": opened.code_hashes,
            "shop": shop_id,
        },
    )
    if row[0] == InstrumentNotFound.code:
        guard.count_failure(actor.client_id or actor.id)
        raise InstrumentNotFound
    return Looked(
        reason=row[0],
        locator=row[1],
        programme_id=row[2],
        unit=row[3],
        ceiling_minor=row[4],
        balance_minor=row[5],
        starts_at=row[6],
        ends_at=row[7],
    )


_INSTRUMENTS = sa.text("""
    SELECT i.locator, i.account_id, i.terms_id, t.programme_id, i.state, a.balance_minor,
        t.released_at, t.starts_at, t.ends_at
    FROM payment_instruments i
    JOIN payment_terms t ON t.tenant_id = i.tenant_id AND t.id = i.terms_id
    JOIN ledger_accounts a ON a.tenant_id = i.tenant_id AND a.id = i.account_id
    WHERE i.tenant_id = :tenant AND i.locator BETWEEN :first AND :last
    ORDER BY i.locator LIMIT :most
""")


def get_instruments(work: Work, first_locator: int, last_locator: int) -> list[InstrumentView]:
    """Return the instruments of a range of locators, at most ``INSTRUMENTS_MAX``."""
    values = {
        "tenant": work.tenant_id,
        "first": first_locator,
        "last": last_locator,
        "most": INSTRUMENTS_MAX,
    }
    return [
        InstrumentView(
            locator=row[0],
            account_id=row[1],
            terms_id=row[2],
            programme_id=row[3],
            state=row[4],
            balance_minor=row[5],
            released_at=row[6],
            starts_at=row[7],
            ends_at=row[8],
        )
        for row in work.session.execute(_INSTRUMENTS, values)
    ]


def count_instruments(work: Work, first_locator: int, last_locator: int) -> int:
    """Return how many instruments a range of locators holds."""
    return work.session.execute(
        sa.select(sa.func.count()).where(
            PaymentInstrument.tenant_id == work.tenant_id,
            PaymentInstrument.locator.between(first_locator, last_locator),
        )
    ).scalar_one()


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


def _wanted_rows(
    work: Work, table: type[Payment | PaymentHistory], wanted: PaymentFilter
) -> list[sa.ColumnElement[bool]]:
    shop_id = work.scope.actor.shop_id or wanted.shop_id
    own_id = table.id if table is Payment else PaymentHistory.payment_id
    conditions = [table.tenant_id == work.tenant_id]
    if wanted.before is not None:
        conditions.append(own_id < wanted.before)
    if shop_id is not None:
        conditions.append(table.shop_id == shop_id)
    if wanted.account_id is not None:
        conditions.append(table.account_id == wanted.account_id)
    if wanted.since is not None:
        since = max(wanted.since, BEFORE_ALL_PAYMENTS)
        conditions.append(own_id >= first_id_at(since - CLOCK_SLACK))
        conditions.append(table.at >= since)
    if wanted.until is not None:
        conditions.append(table.at < wanted.until)
    return conditions


_OLDEST_UNREAD = sa.text("""
    SELECT object_id FROM event_outbox
    WHERE tenant_id = :tenant AND done_at IS NULL AND name = 'payment.captured_v1'
    ORDER BY object_id LIMIT 1
""")


def _read_side_ends(work: Work) -> UUID:
    """Return the first payment that the read side may not know yet, however far it lags."""
    values = {"tenant": work.tenant_id}
    oldest: UUID | None = work.session.execute(_OLDEST_UNREAD, values).scalar_one_or_none()
    newest = first_id_at(work.at - READ_LAG)
    return newest if oldest is None else min(newest, oldest)


def list_payments(work: Work, wanted: PaymentFilter) -> list[PaymentView]:
    """Return a page of payments, newest first; a caller bound to a shop sees that shop's only.

    A shop's or an account's payments are found on the read side, and those it may not know yet
    on the write side.
    """
    limit = min(wanted.limit, PAGE_MAX)
    write_side = sa.select(Payment.id.label("id")).where(*_wanted_rows(work, Payment, wanted))
    newest: sa.UnaryExpression[UUID] = sa.desc("id")
    if (work.scope.actor.shop_id or wanted.shop_id or wanted.account_id) is None:
        ids = write_side.order_by(newest).limit(limit).subquery()
    else:
        read_side = sa.select(PaymentHistory.payment_id.label("id")).where(
            *_wanted_rows(work, PaymentHistory, wanted), PaymentHistory.kind == "pay"
        )
        recent = write_side.where(Payment.id >= _read_side_ends(work))
        ids = sa.union(
            sa.select(read_side.order_by(newest).limit(limit).subquery().c.id),
            sa.select(recent.order_by(newest).limit(limit).subquery().c.id),
        ).subquery()
    statement = (
        sa.select(Payment)
        .join(ids, ids.c.id == Payment.id)
        .where(Payment.tenant_id == work.tenant_id)
        .order_by(Payment.id.desc())
        .limit(limit)
    )
    return [_view(row) for row in work.session.execute(statement).scalars()]


_PAYMENTS_AND_TRANSFERS = sa.text("""
    WITH facts AS (
        SELECT id, 'pay' AS kind, transfer_id, amount_minor, account_id, shop_id, programme_id,
            NULL::uuid AS reverses_id
        FROM payment_payments WHERE tenant_id = :tenant
        UNION ALL
        SELECT r.id, r.kind, r.transfer_id, r.amount_minor, p.account_id, p.shop_id,
            p.programme_id, p.transfer_id
        FROM payment_reversals r
        JOIN payment_payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
        WHERE r.tenant_id = :tenant
    ), moves AS (
        SELECT t.id, t.kind, t.amount_minor, t.reverses_id,
            CASE t.kind WHEN 'pay' THEN t.debit_id ELSE t.credit_id END AS account_id,
            a.subject_id AS shop_id, a.book_id AS programme_id, a.kind AS payable_kind
        FROM ledger_transfers t
        LEFT JOIN ledger_accounts a ON a.tenant_id = t.tenant_id
            AND a.id = CASE t.kind WHEN 'pay' THEN t.credit_id ELSE t.debit_id END
        WHERE t.tenant_id = :tenant AND t.kind IN ('pay', 'void', 'refund')
    )
    SELECT f.id, m.id, f.amount_minor, m.amount_minor
    FROM facts f FULL JOIN moves m ON m.id = f.transfer_id
    WHERE f.id IS NULL OR m.id IS NULL OR f.amount_minor <> m.amount_minor OR f.kind <> m.kind
        OR f.account_id <> m.account_id OR f.shop_id IS DISTINCT FROM m.shop_id
        OR f.programme_id IS DISTINCT FROM m.programme_id
        OR m.payable_kind IS DISTINCT FROM 'shop_payable'
        OR f.reverses_id IS DISTINCT FROM m.reverses_id
    LIMIT :most
""")

_PAYMENTS_AND_REVERSALS = sa.text("""
    SELECT p.id, CASE WHEN p.voided_at IS NULL THEN p.refunded_minor ELSE p.amount_minor END,
        COALESCE(sum(r.amount_minor), 0)
    FROM payment_payments p
    LEFT JOIN payment_reversals r ON r.tenant_id = p.tenant_id AND r.payment_id = p.id
    WHERE p.tenant_id = :tenant
    GROUP BY p.id, p.voided_at, p.refunded_minor, p.amount_minor
    HAVING CASE WHEN p.voided_at IS NULL THEN p.refunded_minor ELSE p.amount_minor END
        <> COALESCE(sum(r.amount_minor), 0)
    LIMIT :most
""")

_FACTS_AND_OUTBOX = sa.text("""
    WITH facts AS (
        SELECT id AS object_id, transfer_id, 'payment.captured_v1' AS name, amount_minor,
            balance_after_minor, shop_id, at
        FROM payment_payments WHERE tenant_id = :tenant
        UNION ALL
        SELECT r.payment_id, r.transfer_id,
            CASE r.kind WHEN 'void' THEN 'payment.voided_v1' ELSE 'payment.refunded_v1' END,
            r.amount_minor, r.balance_after_minor, p.shop_id, r.at
        FROM payment_reversals r
        JOIN payment_payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
        WHERE r.tenant_id = :tenant
    ), sent AS (
        SELECT id, object_id, name, payload FROM event_outbox
        WHERE tenant_id = :tenant AND name LIKE 'payment.%'
    )
    SELECT s.id, f.object_id, f.name, f.amount_minor, s.payload ->> 'amount_minor'
    FROM facts f FULL JOIN sent s
        ON s.payload ->> 'transfer_id' = f.transfer_id::text
    WHERE (s.id IS NULL AND f.at > :kept_since) OR f.object_id IS NULL
        OR (s.id IS NOT NULL AND (s.object_id <> f.object_id OR s.name <> f.name
            OR s.payload ->> 'object_id' IS DISTINCT FROM f.object_id::text
            OR s.payload ->> 'amount_minor' IS DISTINCT FROM f.amount_minor::text
            OR s.payload ->> 'balance_minor' IS DISTINCT FROM f.balance_after_minor::text
            OR s.payload ->> 'shop_id' IS DISTINCT FROM f.shop_id::text))
    LIMIT :most
""")


def verify(work: Work) -> list[Difference]:
    """Compare every payment, void and refund with its transfer and with its event.

    At most ``DIFFERENCES_MAX`` of each kind are named.
    """
    values = {
        "tenant": work.tenant_id,
        "most": DIFFERENCES_MAX,
        "kept_since": work.at - OUTBOX_SURELY_KEPT,
    }
    found = [
        Difference(
            kind="transfer" if fact_id is None else "payment",
            subject=str(fact_id or transfer_id),
            expected="a payment and a transfer of one amount, kind, account and shop",
            found=f"payment {fact_amount}, transfer {moved_amount}",
        )
        for fact_id, transfer_id, fact_amount, moved_amount in work.session.execute(
            _PAYMENTS_AND_TRANSFERS, values
        )
    ]
    found += [
        Difference(
            kind="payment",
            subject=str(payment_id),
            expected=f"{given} given back",
            found=f"{int(reversed_)} in voids and refunds",
        )
        for payment_id, given, reversed_ in work.session.execute(_PAYMENTS_AND_REVERSALS, values)
    ]
    found += [
        Difference(
            kind="outbox",
            subject=f"event {event_id}" if event_id else f"of payment {object_id}",
            expected=f"{name} of payment {object_id} over {amount}" if name else "no such event",
            found=f"amount {sent_amount}" if event_id else "no event",
        )
        for event_id, object_id, name, amount, sent_amount in work.session.execute(
            _FACTS_AND_OUTBOX, values
        )
    ]
    return found
