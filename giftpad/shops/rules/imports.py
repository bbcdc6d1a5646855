"""How far an import of shops is, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from giftpad.sheets import LineFault
from giftpad.shops.rules.facts import ShopChange

IMPORT_SIZE_MAX = 32 * 1024 * 1024
FILE_KEPT = timedelta(days=7)
"""How long a file that was not taken whole is kept after its import, to be mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyLine:
    """A line of a file in which something is wrong; ``cells`` holds its texts by field."""

    line: int
    cells: Mapping[str, str]
    faults: tuple[LineFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview:
    """What a file would do, as far as it is told: the first changes, and each area's first line."""

    changes: tuple[ShopChange, ...] = ()
    areas: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """One import.

    ``state``: ordered, checking, taking, then done, or refused where a fault kept the whole file
    out.  A dry import is done after checking; its counts say what taking its good lines would do.
    """

    id: UUID
    state: str
    is_partial: bool
    is_dry: bool
    good_count: int
    bad_count: int
    fault_count: int
    enrolled_count: int
    changed_count: int
    unchanged_count: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def progress(self) -> float:
        """How much of the file is taken, from 0 to 1."""
        if self.finished_at is not None:
            return 1.0
        taken = self.enrolled_count + self.changed_count + self.unchanged_count
        return taken / self.good_count if self.good_count else 0.0
