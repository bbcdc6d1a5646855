"""The values of a payment, the keys of codes, and the state a payment is in."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from giftpad.kernel.codes import encode
from giftpad.kernel.seal import derive

ISSUE_MAX = 50_000
"""Instruments that one transaction issues."""
ISSUE_PIECE = 10_000
"""Of them so many travel in one statement, while the next are worked out."""
CODE_HASH_LENGTH = 16

PaymentState = Literal["captured", "voided", "partly_refunded", "refunded"]
WantedState = Literal["captured", "voided", "refunded"]
"""What a list may be asked for: what still stands whole, was undone, was given back in any part."""

RECEIPT_SHORT, RECEIPT_LONG = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What every payment of one programme is judged by; empty groups or areas mean all."""

    programme_id: UUID
    unit: str
    ceiling_minor: int | None
    groups: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What instruments made together share; ``ends_at`` is the first instant of no validity."""

    id: UUID
    programme_id: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str = "coupon"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueChunk:
    """Instruments to issue together: ``count`` locators in a row, each with its typed code's hash.

    The hashes are worked out on another thread, so they must not touch the transaction.
    ``source_id`` is the ledger account they are funded from.
    """

    terms_id: UUID
    entry_id: UUID
    source_id: UUID
    amount_minor: int
    locator_first: int
    count: int
    code_hashes: Iterable[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A new way to open an account."""

    locator: int
    code_hash: bytes
    terms_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentView:
    """An instrument with its terms and its balance."""

    locator: int
    account_id: UUID
    terms_id: UUID
    programme_id: UUID
    state: str
    balance_minor: int
    released_at: datetime | None
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """One step of an expiry; ``last_locator`` None means that all instruments were seen."""

    last_locator: int | None
    count: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOrder:
    """What a shop asks for, with the caller's key and the hash of the whole request.

    What is paid with is named by the ``code`` presented or by the ``locator`` that a look-up of
    the same caller has proven; by exactly one of them.
    """

    kind: str
    code: str = ""
    locator: int | None = None
    shop_id: UUID
    amount_minor: int
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment as it was first answered."""

    id: UUID
    amount_minor: int
    balance_minor: int
    unit: str
    shop_id: UUID
    programme_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a shop may know of an instrument; ``reason`` is the refusal's code, None if usable."""

    reason: str | None
    programme_id: UUID
    unit: str
    balance_minor: int
    ceiling_minor: int | None
    starts_at: datetime
    ends_at: datetime
    locator: int
    account_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A void or refund, and what it left."""

    id: UUID
    payment_id: UUID
    kind: str
    state: PaymentState
    amount_minor: int
    balance_minor: int
    refunded_minor: int
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment as it stands now."""

    id: UUID
    state: PaymentState
    kind: str
    amount_minor: int
    balance_after_minor: int
    refunded_minor: int
    unit: str
    shop_id: UUID
    programme_id: UUID
    account_id: UUID
    locator: int
    client_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """Which payments a list shows, newest first."""

    shop_id: UUID | None = None
    account_id: UUID | None = None
    programme_id: UUID | None = None
    state: WantedState | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over payments; ``count`` holds those undone too, whose value is in ``given_back``."""

    count: int
    voided_count: int
    amount_minor: int
    given_back_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One thing that moved the balance of an account; ``kind`` is pay, void or refund.

    ``balance_minor`` is what the account held after it; ``actor`` is written as ``kind:id``.
    """

    kind: str
    at: datetime
    shop_id: UUID
    amount_minor: int
    balance_minor: int
    payment_id: UUID
    reason: str
    actor: str


def receipt_number(payment_id: UUID) -> str:
    """Return what people call a payment by: short, stable, and not unique for ever.

    >>> receipt_number(UUID("019a0000-0000-7000-8000-0000004f4d1f"))
    '4Y-K8Z'
    """
    length = RECEIPT_SHORT + RECEIPT_LONG
    symbols = encode(payment_id.int % 32**length, length)
    return f"{symbols[:RECEIPT_SHORT]}-{symbols[RECEIPT_SHORT:]}"


def state_of(amount_minor: int, refunded_minor: int, voided_at: datetime | None) -> PaymentState:
    """Return the state that a payment's figures mean."""
    if voided_at is not None:
        return "voided"
    if refunded_minor == 0:
        return "captured"
    return "refunded" if refunded_minor == amount_minor else "partly_refunded"


@lru_cache(maxsize=4096)
def qr_key(ring_key: bytes) -> bytes:
    """Derive the key of a ring's QR MACs."""
    return derive(ring_key, "giftpad qr mac v1")


@lru_cache(maxsize=4096)
def pepper(ring_key: bytes) -> bytes:
    """Derive the key that typed codes are hashed with."""
    return derive(ring_key, "giftpad typed code v1")


def hash_typed(pepper_key: bytes, tenant_id: UUID, symbols: str) -> bytes:
    """Return what is kept of a typed code: enough to find it, not enough to spend it."""
    digest = hmac.digest(pepper_key, tenant_id.bytes + symbols.encode(), "sha256")
    return digest[:CODE_HASH_LENGTH]
