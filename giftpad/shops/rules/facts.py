"""What is known of a shop, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What holds for a shop from one instant until the next facts.

    ``area`` and ``groups`` decide which programmes the shop accepts; ``floor_area_m2`` and
    ``hq_prefecture`` are kept for programmes that set small or local shops apart.
    """

    name: str
    area: str
    kana: str = ""
    groups: tuple[str, ...] = ()
    accepting: bool = True
    address: str = ""
    phone: str = ""
    floor_area_m2: int | None = None
    hq_prefecture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Which shops may take a payment, by their facts; nothing named means all."""

    groups: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The person a shop is reached by; kept sealed."""

    name: str = ""
    phone: str = ""
    email: str = ""


FACT_NAMES = tuple(each.name for each in fields(Facts))
CONTACT_PARTS = tuple(each.name for each in fields(Contact))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShop:
    """A shop to enrol; without ``starts_on`` its facts hold from now."""

    number: str
    facts: Facts
    contact: Contact | None = None
    starts_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchView:
    """One place of a shop."""

    id: UUID
    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedFacts:
    """Facts and the instant they hold from."""

    starts_at: datetime
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopView:
    """A shop as it is now; ``planned`` holds the facts of later days.

    Before its first day a shop shows its first facts, and ``has_started`` is false.
    """

    id: UUID
    number: str
    created_at: datetime
    starts_at: datetime
    has_started: bool
    facts: Facts
    branches: tuple[BranchView, ...] = ()
    planned: tuple[DatedFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFilter:
    """Which shops a list shows; empty means all.  ``text`` is looked for in names and numbers."""

    area: str = ""
    group: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPage:
    """One page of shops; ``next_after`` continues it, or is None at the end."""

    items: tuple[ShopView, ...]
    next_after: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopChange:
    """What a line of a file makes of a known shop; ``fields`` names the columns that differ."""

    line: int
    number: str
    name: str
    next_name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What taking lines of a CSV file did, or would do; ``changes`` tells of each changed shop."""

    enrolled: int = 0
    changed: int = 0
    unchanged: int = 0
    changes: tuple[ShopChange, ...] = field(default=(), compare=False)

    def plus(self, other: Taken) -> Taken:
        """Add two counts; single changes are told of no sum, which may be one of many lines."""
        return Taken(
            enrolled=self.enrolled + other.enrolled,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
        )
