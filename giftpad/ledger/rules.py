"""The words of the ledger as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from giftpad.kernel.arrays import UuidArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of one book.

    ``guarded`` accounts keep a running balance that never goes below zero; the others are the
    sum of their transfers.  ``subject_id`` says whose account it is; a coupon's has none.
    """

    id: UUID
    book_id: UUID
    kind: str
    unit: str
    guarded: bool
    subject_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One movement of ``amount_minor`` > 0 from ``debit_id`` to ``credit_id``, both of one book."""

    id: UUID
    entry_id: UUID
    kind: str
    debit_id: UUID
    credit_id: UUID
    amount_minor: int
    reverses_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a transfer left on each side; None for an account that keeps no running balance."""

    debit_after_minor: int | None
    credit_after_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A movement of many accounts at once, with the id of one transfer for each.

    ``other_id`` is the account on the other side: funding when issuing, breakage when draining.
    """

    entry_id: UUID
    kind: str
    other_id: UUID
    account_ids: UuidArray
    transfer_ids: UuidArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How many accounts a bulk movement touched and how much it moved."""

    count: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something in the books that does not agree with the rest of them."""

    kind: str
    subject: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: expected {self.expected}, found {self.found}"
