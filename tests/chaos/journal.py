"""What was acknowledged, written down outside the product as each answer arrives."""

from __future__ import annotations

import bisect
import itertools
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One acknowledged call: enough to ask it again and to find what it did."""

    caller: int
    method: str
    path: str
    body: str
    key: str
    kind: str
    """pay, void, refund or office."""
    status: int
    answer: bytes
    id: str
    amount_minor: int


class Journal:
    """The log of one run; every till writes into it."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("w", encoding="utf-8")
        self.lock = threading.Lock()
        self.entries: list[Entry] = []
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.in_flight = 0
        self.paid_times: list[float] = []
        self.slowest_s = 0.0

    def acknowledge(self, entry: Entry) -> None:
        """Write an acknowledged call down at once; it outlives this process, not the machine."""
        with self.lock:
            self.entries.append(entry)
            self.counts[entry.kind] += 1
            if entry.kind == "pay":
                self.paid_times.append(time.monotonic())
            self.file.write(f"{entry.kind} {entry.key} {entry.id} {entry.amount_minor}\n")
            self.file.flush()

    def note(self, name: str) -> None:
        """Count something."""
        with self.lock:
            self.counts[name] += 1

    def note_status(self, status: int, code: str) -> None:
        """Count an answer that was no acknowledgement."""
        with self.lock:
            self.statuses[f"{status} {code}".strip()] += 1

    def refuse(self, code: str) -> None:
        """Count a refusal that ended a call."""
        with self.lock:
            self.refusals[code] += 1

    def complain(self, text: str) -> None:
        """Write down what the product must never do."""
        with self.lock:
            self.wrong.append(text[:600])

    def fly(self, by: int) -> None:
        """Count calls that are under way."""
        with self.lock:
            self.in_flight += by

    @property
    def payments(self) -> int:
        """How many payments were acknowledged."""
        return self.counts["pay"]

    def sample(self, chance: random.Random, count: int, *, first: int = 0) -> list[Entry]:
        """Return some entries that came after the first ``first``, the last one among them."""
        with self.lock:
            if len(self.entries) <= first:
                return []
            places = [chance.randrange(first, len(self.entries)) for _ in range(count - 1)]
            return [self.entries[-1], *(self.entries[place] for place in places)]

    def longest_pause_s(self, since: float, until: float) -> float:
        """Return the longest time without an acknowledged payment between two instants."""
        with self.lock:
            start = bisect.bisect_left(self.paid_times, since)
            times = [since, *self.paid_times[start:], until]
        return max(later - earlier for earlier, later in itertools.pairwise(times))

    def since(self, mark: int) -> list[Entry]:
        """Return the entries that came after the first ``mark``."""
        with self.lock:
            return self.entries[mark:]


def read_code(answer: bytes) -> str:
    """Return the stable code of a problem, or an empty text."""
    try:
        found = json.loads(answer)
    except ValueError:
        return ""
    return str(found.get("code", "")) if isinstance(found, dict) else ""
