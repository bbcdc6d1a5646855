"""The ledger's verbs; each is one call of a database function that alone has the right to write."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Work
from giftpad.ledger.errors import InsufficientBalance
from giftpad.ledger.rules import Account, Drained, Moved, Staged, Transfer

_OPEN = sa.text("SELECT ledger_open_account(:tenant, :id, :book, :kind, :unit, :guarded, :subject)")
_TRANSFER = sa.text(
    "SELECT moved, debit_after, credit_after FROM ledger_transfer(:tenant, :id, :entry, :kind,"
    " :debit, :credit, :amount, :reverses, :at)"
)
_ISSUE = sa.text(
    "SELECT count, total FROM"
    " ledger_issue_staged(:tenant, :entry, :kind, :account_kind, :other, :at)"
)
_DRAIN = sa.text(
    "SELECT count, total FROM ledger_drain_staged(:tenant, :entry, :kind, :other, :at)"
)
_LOCK = sa.text("SELECT ledger_lock_account(:tenant, :id)")


def open_account(work: Work, account: Account) -> UUID:
    """Open an account, or return the id of the one that its subject already has."""
    values = {
        "tenant": work.tenant_id,
        "id": account.id,
        "book": account.book_id,
        "kind": account.kind,
        "unit": account.unit,
        "guarded": account.guarded,
        "subject": account.subject_id,
    }
    opened: UUID = work.session.execute(_OPEN, values).scalar_one()
    return opened


def transfer(work: Work, order: Transfer) -> Moved:
    """Move value from one account to another.

    Locks: the guarded accounts, in the order of their ids.
    Raises: InsufficientBalance.
    """
    values = {
        "tenant": work.tenant_id,
        "id": order.id,
        "entry": order.entry_id,
        "kind": order.kind,
        "debit": order.debit_id,
        "credit": order.credit_id,
        "amount": order.amount_minor,
        "reverses": order.reverses_id,
        "at": work.at,
    }
    moved, debit_after, credit_after = work.session.execute(_TRANSFER, values).one()
    if not moved:
        raise InsufficientBalance(balance_minor=debit_after)
    return Moved(debit_after_minor=debit_after, credit_after_minor=credit_after)


def lock_account(work: Work, account_id: UUID) -> int | None:
    """Hold an account until the transaction ends and return its running balance.

    Locks: the account.
    """
    values = {"tenant": work.tenant_id, "id": account_id}
    balance: int | None = work.session.execute(_LOCK, values).scalar_one()
    return balance


def _bulk(work: Work, statement: sa.TextClause, staged: Staged) -> Drained:
    values = {
        "tenant": work.tenant_id,
        "entry": staged.entry_id,
        "kind": staged.kind,
        "account_kind": staged.account_kind,
        "other": staged.other_id,
        "at": work.at,
    }
    count, total = work.session.execute(statement, values).one()
    return Drained(count=count, total_minor=int(total))


def issue_staged(work: Work, staged: Staged) -> Drained:
    """Open the staged accounts and book what each is issued with, from ``staged.other_id``."""
    return _bulk(work, _ISSUE, staged)


def drain_staged(work: Work, staged: Staged) -> Drained:
    """Move all that the staged accounts still hold to ``staged.other_id``.

    Locks: the staged accounts, in the order of their ids.
    """
    return _bulk(work, _DRAIN, staged)
