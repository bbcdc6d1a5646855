"""The book of record: accounts, and transfers that move value between two of them.

Knows: double entry, units, books that balance by themselves, reversal.
Hides: locking, running balances, the database functions that alone may write.
Does not know: coupons, shops, programmes, settings, events, HTTP.
"""

from giftpad.ledger.commands import (
    drain_many,
    issue_many,
    lock_account,
    open_account,
    transfer,
)
from giftpad.ledger.errors import InsufficientBalance
from giftpad.ledger.queries import find_account, get_balance, sum_by_kind, verify
from giftpad.ledger.rules import Account, Bulk, Difference, Drained, Moved, Transfer

__all__ = [
    "Account",
    "Bulk",
    "Difference",
    "Drained",
    "InsufficientBalance",
    "Moved",
    "Transfer",
    "drain_many",
    "find_account",
    "get_balance",
    "issue_many",
    "lock_account",
    "open_account",
    "sum_by_kind",
    "transfer",
    "verify",
]
