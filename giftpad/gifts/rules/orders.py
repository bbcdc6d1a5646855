"""Gift orders: their states, what they say, what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from giftpad.gifts.rules.contracts import Contract

DRAFT, SUBMITTED, APPROVED = "draft", "submitted", "approved"
ISSUING, SENT, CLOSED = "issuing", "sent", "closed"
STATES = (DRAFT, SUBMITTED, APPROVED, ISSUING, SENT, CLOSED)
COURSE, BALANCE = "course", "balance"
KINDS = (COURSE, BALANCE)
"""What a gift is: one thing of a course, or an amount."""

LINES_MAX = 100_000
"""Recipients of one order."""
CODES_MAX = 1_000_000
"""Codes without names of one order."""
MESSAGE_LENGTH_MAX = 1500
"""A word for one person stands before it, and a letter takes 2,000 characters of both."""
TITLE_LENGTH_MAX = 60
SENDER_LENGTH_MAX = 60
APPROVED_WITHIN = timedelta(days=30)
"""How long a submitted order waits for its approval before it is a draft again."""
AMOUNT_MINOR_MAX = 1_000_000
"""The largest balance that one gift can be."""
CHUNK = 500
"""Gifts that are issued in one transaction."""
VOLUME = 100_000
"""Numbers in one part of a file of codes, where it is taken part by part."""
CODES_CHUNK = 2000
"""Codes that are issued in one transaction: they have no letters to write."""
CHUNKS_A_DELIVERY = 20
"""Chunks that one delivery of the event issues before it passes the word on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """What a gift order says; all of it can be changed until it is submitted.

    ``channel`` is how a gift goes to whoever has no channel of their own.  ``send_at`` None means
    as soon as it is approved.  A balance has an amount and names where it can be spent: the
    course whose products it buys, the programme it can be kept in, or both.
    """

    title: str = ""
    design: str = ""
    sender_name: str = ""
    message: str = ""
    kind: str = COURSE
    course_id: UUID | None = None
    amount_minor: int | None = None
    programme_id: UUID | None = None
    channel: str = "mail"
    send_at: datetime | None = None
    claim_by: date | None = None
    locale: str = "ja"
    can_be_passed_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an order costs: each number of gifts by channel, their value, their fees."""

    counts: Mapping[str, int]
    value_minor: int
    gifts_minor: int
    fees_minor: int

    @property
    def count(self) -> int:
        """How many gifts."""
        return sum(self.counts.values())

    @property
    def total_minor(self) -> int:
        """What is held when the order is submitted."""
        return self.gifts_minor + self.fees_minor


def cost_of(counts: Mapping[str, int], value_minor: int, contract: Contract) -> Cost:
    """Work out what gifts of one value cost.

    >>> agreed = Contract(unit="JPY", approve_above_minor=0, unclaimed="kept", claim_days=90,
    ...     credit_limit_minor=0, claim_days_max=180, fees_minor={"mail": 150}, fee_tax_percent=10)
    >>> cost_of({"mail": 3}, 5000, agreed).total_minor
    15450
    """
    fees = sum(count * contract.fee_of(channel) for channel, count in counts.items())
    count = sum(counts.values())
    return Cost(
        counts=dict(counts),
        value_minor=value_minor,
        gifts_minor=count * value_minor,
        fees_minor=fees,
    )


def fee_terms_of(counts: Mapping[str, int], contract: Contract) -> dict[str, Any]:
    """Return what the fees of an order are made of, as it is kept with them."""
    return {
        "counts": dict(counts),
        "fees_minor": {channel: contract.fee_of(channel) for channel in counts},
        "percent": contract.fee_tax_percent,
    }
