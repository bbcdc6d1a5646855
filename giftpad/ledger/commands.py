"""The ledger's verbs; each is one call of a database function that alone has the right to write."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Work
from giftpad.ledger.errors import InsufficientBalance
from giftpad.ledger.rules import Account, Bulk, Drained, Moved, Transfer

_OPEN = sa.text("SELECT ledger_open_account(:tenant, :id, :book, :kind, :unit, :guarded, :subject)")
_TRANSFER = sa.text(
    "SELECT moved, debit_after, credit_after FROM ledger_transfer(:tenant, :id, :entry, :kind,"
    " :debit, :credit, :amount, :reverses, :at)"
)
_ISSUE = sa.text(
    "SELECT ledger_issue_many(:tenant, :entry, :kind, :account_kind, :other,"
    " CAST(:accounts AS uuid[]), CAST(:transfers AS uuid[]), :amount, :at)"
)
_DRAIN = sa.text(
    "SELECT count, total FROM ledger_drain_many(:tenant, :entry, :kind, :other,"
    " CAST(:accounts AS uuid[]), CAST(:transfers AS uuid[]), :at)"
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


def _bulk_values(work: Work, bulk: Bulk) -> dict[str, object]:
    assert bulk.account_ids.count == bulk.transfer_ids.count
    return {
        "tenant": work.tenant_id,
        "entry": bulk.entry_id,
        "kind": bulk.kind,
        "other": bulk.other_id,
        "accounts": bulk.account_ids,
        "transfers": bulk.transfer_ids,
        "at": work.at,
    }


def issue_many(work: Work, bulk: Bulk, *, account_kind: str, amount_minor: int) -> None:
    """Open guarded accounts and book ``amount_minor`` for each, from ``bulk.other_id``."""
    values = _bulk_values(work, bulk) | {"account_kind": account_kind, "amount": amount_minor}
    count: int = work.session.execute(_ISSUE, values).scalar_one()
    assert count == bulk.account_ids.count


def drain_many(work: Work, bulk: Bulk) -> Drained:
    """Move all that the accounts still hold to ``bulk.other_id``.

    Locks: the accounts, in the order of their ids.
    """
    count, total = work.session.execute(_DRAIN, _bulk_values(work, bulk)).one()
    return Drained(count=count, total_minor=int(total))
