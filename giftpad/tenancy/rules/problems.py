"""What is wrong with a pack: each problem names its file, its line and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field

PROBLEMS_MAX = 500


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with one line of one file."""

    file: str
    line: int
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.fault} {self.remedy}"


@dataclass(slots=True)
class Problems:
    """The problems of one pack, gathered so that all are told at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file: str, line: int, fault: str, *, remedy: str) -> None:
        """Note a problem; more than ``PROBLEMS_MAX`` are not worth reading."""
        if len(self.found) < PROBLEMS_MAX:
            self.found.append(Problem(file, line, fault, remedy))


class PackBroken(Exception):
    """A pack is refused whole; ``problems`` says why, line by line."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = sorted(problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
