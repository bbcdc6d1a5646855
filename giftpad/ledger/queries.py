"""Reading the books, and proving them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Work, plan_anew
from giftpad.ledger.models import LedgerAccount
from giftpad.ledger.rules import Difference

DIFFERENCES_MAX = 1000

_SUMS = sa.text("""
    SELECT a.kind, COALESCE(sum(m.amount), 0)
    FROM ledger_accounts a
    LEFT JOIN (
        SELECT credit_id AS id, sum(amount_minor) AS amount FROM ledger_transfers
        WHERE tenant_id = :tenant GROUP BY credit_id
        UNION ALL
        SELECT debit_id, -sum(amount_minor) FROM ledger_transfers
        WHERE tenant_id = :tenant GROUP BY debit_id
    ) m ON m.id = a.id
    WHERE a.tenant_id = :tenant AND a.book_id = :book
    GROUP BY a.kind
""")

_BALANCES = sa.text("""
    SELECT a.id, a.balance_minor, COALESCE(sum(m.amount), 0), a.seq, COALESCE(sum(m.count), 0)
    FROM ledger_accounts a
    LEFT JOIN (
        SELECT credit_id AS id, sum(amount_minor) AS amount, count(*) AS count
        FROM ledger_transfers WHERE tenant_id = :tenant GROUP BY credit_id
        UNION ALL
        SELECT debit_id, -sum(amount_minor), count(*)
        FROM ledger_transfers WHERE tenant_id = :tenant GROUP BY debit_id
    ) m ON m.id = a.id
    WHERE a.tenant_id = :tenant AND a.balance_minor IS NOT NULL
    GROUP BY a.id, a.balance_minor, a.seq
    HAVING a.balance_minor <> COALESCE(sum(m.amount), 0) OR a.seq <> COALESCE(sum(m.count), 0)
    LIMIT :most
""")

_CHAIN = sa.text("""
    SELECT id, transfer_id, after_minor, expected FROM (
        SELECT id, transfer_id, after_minor,
            signed + COALESCE(lag(after_minor) OVER steps, 0) AS expected,
            seq, COALESCE(lag(seq) OVER steps, 0) + 1 AS expected_seq
        FROM (
            SELECT credit_id AS id, id AS transfer_id, amount_minor AS signed,
                credit_after_minor AS after_minor, credit_seq AS seq
            FROM ledger_transfers WHERE tenant_id = :tenant AND credit_seq IS NOT NULL
            UNION ALL
            SELECT debit_id, id, -amount_minor, debit_after_minor, debit_seq
            FROM ledger_transfers WHERE tenant_id = :tenant AND debit_seq IS NOT NULL
        ) movements
        WINDOW steps AS (PARTITION BY id ORDER BY seq)
    ) chain
    WHERE after_minor <> expected OR seq <> expected_seq
    LIMIT :most
""")

_STRANGERS = sa.text("""
    SELECT t.id FROM ledger_transfers t
    LEFT JOIN ledger_accounts d ON d.tenant_id = t.tenant_id AND d.id = t.debit_id
    LEFT JOIN ledger_accounts c ON c.tenant_id = t.tenant_id AND c.id = t.credit_id
    WHERE t.tenant_id = :tenant AND (d.id IS NULL OR c.id IS NULL OR d.book_id <> c.book_id
        OR d.unit <> c.unit OR (d.balance_minor IS NULL) <> (t.debit_seq IS NULL)
        OR (c.balance_minor IS NULL) <> (t.credit_seq IS NULL))
    LIMIT :most
""")


def find_account(work: Work, book_id: UUID, kind: str, subject_id: UUID) -> UUID | None:
    """Return the id of a subject's account of one kind, or None."""
    return work.session.execute(
        sa.select(LedgerAccount.id).where(
            LedgerAccount.tenant_id == work.tenant_id,
            LedgerAccount.book_id == book_id,
            LedgerAccount.kind == kind,
            LedgerAccount.subject_id == subject_id,
        )
    ).scalar_one_or_none()


def get_balance(work: Work, account_id: UUID) -> int:
    """Return what a guarded account holds."""
    balance = work.session.execute(
        sa.select(LedgerAccount.balance_minor).where(
            LedgerAccount.tenant_id == work.tenant_id, LedgerAccount.id == account_id
        )
    ).scalar_one()
    assert balance is not None
    return balance


def sum_by_kind(work: Work, book_id: UUID) -> dict[str, int]:
    """Return credits less debits by kind of account, from the transfers alone.

    What was issued is the negative of ``funding``; the values of a book sum to zero.
    """
    rows = work.session.execute(_SUMS, {"tenant": work.tenant_id, "book": book_id})
    return {kind: int(total) for kind, total in rows}


def verify(work: Work) -> list[Difference]:
    """Recompute every running balance and every chain from the transfers, and name what differs.

    At most ``DIFFERENCES_MAX`` of each kind are named.
    """
    plan_anew(work)
    values = {"tenant": work.tenant_id, "most": DIFFERENCES_MAX}
    found = [
        Difference(
            kind="balance",
            subject=f"account {account_id}",
            expected=f"{int(total)} after {int(count)} transfers",
            found=f"{balance} after {seq}",
        )
        for account_id, balance, total, seq, count in work.session.execute(_BALANCES, values)
    ]
    found += [
        Difference(
            kind="transfer",
            subject=f"{transfer_id} of account {account_id}",
            expected=f"balance after it {int(expected)}",
            found=str(after),
        )
        for account_id, transfer_id, after, expected in work.session.execute(_CHAIN, values)
    ]
    found += [
        Difference(
            kind="transfer",
            subject=str(transfer_id),
            expected="two accounts of one book and unit, chained where guarded",
            found="not so",
        )
        for (transfer_id,) in work.session.execute(_STRANGERS, values)
    ]
    return found
