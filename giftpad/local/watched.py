"""One part under the supervisor's watch: since when it runs, how often it was started again.

Hides: what the next start and ``status`` need to know of a part.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

from giftpad.local.parts import Part
from giftpad.local.processes import identify


@dataclass(slots=True, kw_only=True)
class Watched:
    """One part under watch."""

    part: Part
    started_at: float = 0.0
    restarts: int = 0
    failures_in_row: int = 0
    start_again_at: float | None = None
    is_up: bool = False

    def note_start(self, *, is_up: bool = False) -> None:
        """Count the part's time from now."""
        self.started_at = time.time()
        self.start_again_at = None
        self.is_up = is_up

    def has_settled(self) -> bool:
        """Whether the part has either ended or come up."""
        self.is_up = self.part.is_ready()
        return self.is_up or self.return_code is not None

    def has_come_up(self) -> bool:
        """Whether the part, not up so far, works now."""
        if self.is_up:
            return False
        self.is_up = self.part.is_ready()
        return self.is_up

    @property
    def return_code(self) -> int | None:
        """How its process ended; None while it runs."""
        assert self.part.process is not None
        return self.part.process.poll()

    def as_state(self) -> dict[str, Any]:
        """Return what ``status`` and the next start need to know of it."""
        state = "up" if self.is_up else "starting"
        process = identify(self.part.process.pid) if self.part.process else None
        return {
            "name": self.part.name,
            "state": state if self.start_again_at is None else "waiting",
            "process": dataclasses.asdict(process) if process else None,
            "started_at": self.started_at,
            "restarts": self.restarts,
            "address": self.part.address,
        }
