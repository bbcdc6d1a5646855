"""Prove that payments, books and events agree."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from giftpad.kernel.work import Work, plan_anew
from giftpad.ledger import Difference

DIFFERENCES_MAX = 1000
OUTBOX_SURELY_KEPT = timedelta(days=29)

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
    plan_anew(work)
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
