"""Prove that orders, gifts and the books agree."""

from __future__ import annotations

import sqlalchemy as sa

from giftpad import coupons
from giftpad.gifts.models import BalanceRow
from giftpad.kernel.work import Work, plan_anew
from giftpad.ledger import Difference

DIFFERENCES_MAX = 1000

_ORDERS = sa.text("""
    WITH told AS (
        SELECT g.order_id,
            sum(g.value_minor) AS issued,
            sum(g.value_minor - g.claimed_minor - g.cancelled_minor - g.expired_minor)
                AS outstanding,
            sum(g.claimed_minor) AS claimed,
            sum(g.cancelled_minor) AS cancelled,
            sum(g.expired_minor) AS expired,
            count(*) AS count
        FROM gifts g WHERE g.tenant_id = :tenant GROUP BY g.order_id
    ), booked AS (
        SELECT a.subject_id AS order_id,
            COALESCE(-sum(m.amount) FILTER (WHERE a.kind = 'gift_issue' AND m.kind = 'gift_issue'),
                0) AS issued,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_issue'), 0) AS passing,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_claimed'), 0) AS claimed,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_claimed'
                AND m.kind = 'gift_keep'), 0) AS kept,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_cancelled'), 0) AS cancelled,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_expired'), 0) AS expired,
            COALESCE(-sum(m.amount) FILTER (WHERE a.kind = 'gift_returned'), 0) AS returned,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_fees'), 0) AS fees,
            COALESCE(sum(m.amount) FILTER (WHERE a.kind = 'gift_held'), 0) AS held
        FROM ledger_accounts a
        LEFT JOIN (
            SELECT credit_id AS id, kind, amount_minor AS amount FROM ledger_transfers
            WHERE tenant_id = :tenant
            UNION ALL
            SELECT debit_id, kind, -amount_minor FROM ledger_transfers WHERE tenant_id = :tenant
        ) m ON m.id = a.id
        WHERE a.tenant_id = :tenant AND a.book_id = :tenant AND a.subject_id <> :tenant
        GROUP BY a.subject_id
    ), lying AS (
        SELECT g.order_id, COALESCE(sum(a.balance_minor), 0) AS outstanding,
            count(*) FILTER (WHERE a.id IS NULL
                OR a.balance_minor <> g.value_minor - g.claimed_minor - g.cancelled_minor
                    - g.expired_minor) AS strange
        FROM gifts g
        LEFT JOIN ledger_accounts a ON a.tenant_id = g.tenant_id AND a.id = g.account_id
        WHERE g.tenant_id = :tenant GROUP BY g.order_id
    ), claims AS (
        SELECT g.order_id, count(*) AS strange
        FROM gifts g
        LEFT JOIN (
            SELECT gift_id, sum(value_minor) AS amount FROM gift_claims
            WHERE tenant_id = :tenant AND state <> 'withdrawn' GROUP BY gift_id
        ) c ON c.gift_id = g.id
        LEFT JOIN (
            SELECT gift_id, sum(amount_minor) AS amount FROM gift_balances
            WHERE tenant_id = :tenant GROUP BY gift_id
        ) b ON b.gift_id = g.id
        WHERE g.tenant_id = :tenant
            AND COALESCE(c.amount, 0) + COALESCE(b.amount, 0) <> g.claimed_minor
        GROUP BY g.order_id
    ), kept AS (
        SELECT b.order_id, sum(b.amount_minor) AS amount, sum(i.amount_minor) AS issued,
            count(*) FILTER (WHERE i.amount_minor IS DISTINCT FROM b.amount_minor) AS strange
        FROM gift_balances b
        LEFT JOIN ledger_transfers i ON i.tenant_id = b.tenant_id AND i.entry_id = b.id
            AND i.kind = 'issue' AND i.credit_id = b.account_id
        WHERE b.tenant_id = :tenant GROUP BY b.order_id
    )
    SELECT o.number, c.what, c.expected, c.found
    FROM gift_orders o
    LEFT JOIN told t ON t.order_id = o.id
    LEFT JOIN booked b ON b.order_id = o.id
    LEFT JOIN lying l ON l.order_id = o.id
    LEFT JOIN claims s ON s.order_id = o.id
    LEFT JOIN kept k ON k.order_id = o.id
    CROSS JOIN LATERAL (VALUES
        ('gifts issued', o.issued_to, COALESCE(t.count, 0)),
        ('value issued', COALESCE(b.issued, 0), COALESCE(t.issued, 0)),
        ('value passing through', 0, COALESCE(b.passing, 0)),
        ('value outstanding', COALESCE(l.outstanding, 0), COALESCE(t.outstanding, 0)),
        ('value claimed', COALESCE(b.claimed, 0), COALESCE(t.claimed, 0)),
        ('value cancelled', COALESCE(b.cancelled, 0), COALESCE(t.cancelled, 0)),
        ('value expired', COALESCE(b.expired, 0), COALESCE(t.expired, 0)),
        ('value issued and what became of it', COALESCE(b.issued, 0),
            COALESCE(l.outstanding, 0) + COALESCE(b.claimed, 0) + COALESCE(b.cancelled, 0)
            + COALESCE(b.expired, 0)),
        ('value returned', COALESCE(b.cancelled, 0)
            + CASE WHEN o.unclaimed = 'returned' THEN COALESCE(b.expired, 0) ELSE 0 END,
            COALESCE(b.returned, 0)),
        ('value held', CASE WHEN o.state IN ('submitted', 'approved', 'issuing')
            THEN (o.quantity - o.issued_to) * o.value_minor
                + CASE WHEN o.issued_to = 0 THEN o.fees_minor ELSE 0 END
            ELSE 0 END, COALESCE(b.held, 0)),
        ('gifts whose account holds something else', 0, COALESCE(l.strange, 0)),
        ('gifts that claimed something else than stands beside them', 0,
            COALESCE(s.strange, 0)),
        ('value kept', COALESCE(b.kept, 0), COALESCE(k.amount, 0)),
        ('value kept and what its programme issued', COALESCE(b.kept, 0),
            COALESCE(k.issued, 0)),
        ('kept balances that were issued otherwise', 0, COALESCE(k.strange, 0))
    ) AS c (what, expected, found)
    WHERE o.tenant_id = :tenant AND c.expected <> c.found
    LIMIT :most
""")


_PAID_IN = sa.text("""
    SELECT what, expected, found FROM (VALUES
        ('value paid in',
            (SELECT COALESCE(sum(amount_minor), 0) FROM gift_deposits
                WHERE tenant_id = :tenant AND reversed_at IS NULL),
            (SELECT COALESCE(sum(
                    CASE kind WHEN 'gift_deposit' THEN amount_minor ELSE -amount_minor END), 0)
                FROM ledger_transfers WHERE tenant_id = :tenant
                    AND kind IN ('gift_deposit', 'gift_deposit_reversed'))),
        ('credit lent',
            (SELECT COALESCE(sum(credit_minor), 0) FROM gift_contracts WHERE tenant_id = :tenant),
            (SELECT COALESCE(sum(
                    CASE kind WHEN 'gift_credit' THEN amount_minor ELSE -amount_minor END), 0)
                FROM ledger_transfers WHERE tenant_id = :tenant
                    AND kind IN ('gift_credit', 'gift_credit_ended')))
    ) AS c (what, expected, found)
    WHERE expected <> found
""")


def verify(work: Work) -> list[Difference]:
    """Compare every order with its gifts, their accounts and the transfers between them.

    For each order holds: issued = outstanding + claimed + cancelled + expired; and what was kept
    of it is what its programme issued.  For each programme holds: what it issued on no paper is
    what was kept.  What was paid in and lent is what the contract and its deposits say.
    """
    plan_anew(work)
    values = {"tenant": work.tenant_id, "most": DIFFERENCES_MAX}
    orders = [
        Difference(
            kind="gift order",
            subject=f"{number}, {what}",
            expected=str(expected),
            found=str(found),
        )
        for number, what, expected, found in work.session.execute(_ORDERS, values)
    ]
    money = [
        Difference(kind="gift contract", subject=what, expected=str(expected), found=str(found))
        for what, expected, found in work.session.execute(_PAID_IN, {"tenant": work.tenant_id})
    ]
    return _compare_programmes(work) + orders + money


def _compare_programmes(work: Work) -> list[Difference]:
    """Compare what each programme issued on no paper with what was kept in it."""
    rows = work.session.execute(
        sa.select(BalanceRow.programme_id, sa.func.sum(BalanceRow.amount_minor))
        .where(BalanceRow.tenant_id == work.tenant_id)
        .group_by(BalanceRow.programme_id)
    )
    kept = {programme_id: int(amount) for programme_id, amount in rows}
    issued = coupons.sum_paperless(work)
    return [
        Difference(
            kind="gift order",
            subject=f"programme {each}, value kept and issued on no paper",
            expected=str(kept.get(each, 0)),
            found=str(issued.get(each, 0)),
        )
        for each in sorted(kept.keys() | issued.keys(), key=str)
        if kept.get(each, 0) != issued.get(each, 0)
    ]
