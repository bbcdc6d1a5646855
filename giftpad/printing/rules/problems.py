"""What is wrong with a template, or with a finished file.

Hides: nothing; these are values that commands and queries hand out.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PROBLEMS_MAX = 100

FaultKind = Literal[
    "page_count",
    "missing",
    "unreadable",
    "wrong_code",
    "unknown_code",
    "repeated",
    "extra",
    "wrong_serial",
    "wrong_typed_code",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault of a template: where it stands, what is wrong, what to do."""

    file: Path
    place: str
    sentence: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file.parent.name}/{self.file.name}"
        where += f" {self.place}" if self.place else ""
        return f"{where}: {self.sentence} {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedItem:
    """What one cell of the finished file must carry, in the order of printing."""

    qr_text: str
    serial: str
    typed_code: str | None = None

    def __repr__(self) -> str:
        return f"ExpectedItem(serial={self.serial!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One difference between the finished file and the list; never shows what spends."""

    kind: FaultKind
    page: int
    cell: int
    serial: str
    detail: str

    def __str__(self) -> str:
        return f"page {self.page}, cell {self.cell}, {self.serial or 'no serial'}: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """The result of reading a finished file back; ``problems`` lists the first of them."""

    page_count: int
    item_count: int
    good_count: int
    problem_count: int
    problems: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        """Say whether every item was read and nothing else was found."""
        return self.problem_count == 0
