"""Figures as plain values, and what one event changes in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from giftpad.kernel.clock import local_date

COUNTED = (
    "issued_count",
    "issued_minor",
    "paid_count",
    "paid_minor",
    "voided_count",
    "voided_minor",
    "refunded_count",
    "refunded_minor",
    "expired_minor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that happened so far: ``issued = left + used + expired``, always.

    ``used`` is what shops took and did not give back.  The figures are those of ``as_of``;
    ``lag_s`` says how long ago that was.
    """

    unit: str
    issued_count: int
    issued_minor: int
    used_minor: int
    left_minor: int
    expired_minor: int
    paid_count: int
    paid_minor: int
    voided_count: int
    voided_minor: int
    refunded_count: int
    refunded_minor: int
    as_of: datetime
    lag_s: int

    @property
    def given_back_minor(self) -> int:
        """What shops took and gave back."""
        return self.voided_minor + self.refunded_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What happened on one local day, what was given back on it included."""

    day: date
    issued_count: int = 0
    issued_minor: int = 0
    paid_count: int = 0
    paid_minor: int = 0
    voided_count: int = 0
    voided_minor: int = 0
    refunded_count: int = 0
    refunded_minor: int = 0
    expired_minor: int = 0

    @property
    def used_minor(self) -> int:
        """What shops took on the day, less what they gave back on it."""
        return self.paid_minor - self.voided_minor - self.refunded_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one event adds to the figures of its programme and day; ``kind`` as in ``COUNTED``."""

    programme_id: UUID
    unit: str
    kind: str
    amount_minor: int
    at: datetime
    count: int = 1


Key = tuple[UUID, date, str]


def sum_up(changes: Iterable[Change], zone: str) -> dict[Key, Counter[str]]:
    """Add changes up by programme, local day and unit, in an order that is always the same."""
    sums: dict[Key, Counter[str]] = {}
    for change in changes:
        key = (change.programme_id, local_date(change.at, zone), change.unit)
        figures = sums.setdefault(key, Counter())
        figures[f"{change.kind}_minor"] += change.amount_minor
        if f"{change.kind}_count" in COUNTED:
            figures[f"{change.kind}_count"] += change.count
    return dict(sorted(sums.items()))
