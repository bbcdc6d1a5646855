"""What a print house gets of an order: its files, how many of what, whom to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTicket:
    """The right, already on record, to take a file of printed gifts out.

    ``serials`` are the numbers of what is printed on it, in the order of its sheets.
    """

    tenant_id: UUID
    print_id: UUID
    file_id: UUID
    file_name: str
    sha256: str
    number: int
    kind: str
    page_count: int
    serials: tuple[str, ...] = field(repr=False)

    @property
    def quantity(self) -> int:
        """How many pieces."""
        return len(self.serials)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """Everything a print house needs to print an order, count it and prove that it is whole."""

    order_id: UUID
    order_number: int
    title: str
    made_on: date
    office: str
    phone: str
    email: str
    per_page: Mapping[str, int]
    files: tuple[CardTicket, ...] = field(repr=False)

    @property
    def count(self) -> int:
        """How many cards and letters there are."""
        return sum(file.quantity for file in self.files)

    @property
    def kinds(self) -> frozenset[str]:
        """What is among it: cards, letters."""
        return frozenset(file.kind for file in self.files)

    @property
    def page_count(self) -> int:
        """How many sheets there are."""
        return sum(file.page_count for file in self.files)
