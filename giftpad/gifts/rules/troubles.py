"""What keeps an order from going on, and which of it can be started again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

NOT_STARTED, NOT_ISSUING, LETTERS_WAIT = "not_started", "not_issuing", "letters_wait"
LETTERS_FAILED, LETTERS_UNKNOWN = "letters_failed", "letters_unknown"
CARDS_MISSING = "cards_missing"
NOT_APPROVED, LETTERS_PAUSED = "not_approved", "letters_paused"
LETTERS_BOUNCED, PARCELS_LATE = "letters_bounced", "parcels_late"
TOO_LATE = "too_late"
REDRIVEN = (
    NOT_STARTED,
    NOT_ISSUING,
    LETTERS_WAIT,
    LETTERS_FAILED,
    LETTERS_UNKNOWN,
    CARDS_MISSING,
)
"""What goes on when it is started again; the rest waits for people."""
TROUBLES = (*REDRIVEN, NOT_APPROVED, TOO_LATE, LETTERS_PAUSED, LETTERS_BOUNCED, PARCELS_LATE)

START_LATE = timedelta(minutes=5)
"""Orders are begun every minute."""
ISSUE_SILENT = timedelta(minutes=10)
"""A chunk takes a second."""
LETTERS_SILENT = timedelta(hours=1)
CARDS_LATE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that an order is stuck at: since when, and how much of it there is."""

    code: str
    since: datetime
    count: int = 1

    @property
    def can_be_redriven(self) -> bool:
        """Whether starting again helps."""
        return self.code in REDRIVEN
