"""How far an import of products is, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from giftpad.sheets import LineFault

IMPORT_SIZE_MAX = 32 * 1024 * 1024
FILE_KEPT = timedelta(days=7)
"""How long a file is kept to be taken in after it was checked."""

IMPORTS_KEPT = timedelta(days=180)
PICTURES_KEPT = timedelta(days=7)
"""How long a picture that no product shows is kept: a page that names it may still be open."""

COUNTS_KEPT_DAYS = 7
"""How long the counts of past days are kept; a claim given back later changes no count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """One import.

    ``state``: ordered while it is read, checked when its counts say what taking it would do,
    taking, then done; or refused, where nothing in it could be taken or nobody took it in time.
    """

    id: UUID
    state: str
    file_name: str
    good_count: int
    fault_count: int
    picture_count: int
    added_count: int
    changed_count: int
    unchanged_count: int
    taken_count: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def progress(self) -> float:
        """How much of the file is taken, from 0 to 1."""
        if self.state == "done":
            return 1.0
        return self.taken_count / self.good_count if self.good_count else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What a file of products would do, or did."""

    good: int
    picture_count: int
    added: int
    changed: int
    unchanged: int
    faults: tuple[LineFault, ...]
