"""Runs: messages that were sent off together, how far they are, when they will be through.

A run is counted, not watched: each change of a message's state moves one count of its run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

RECENT = timedelta(minutes=5)
"""How far back the speed is looked for."""
DONE_LEAST = 10
"""With fewer messages than that nothing is said about the end."""
SPAN_LEAST = timedelta(seconds=5)
MINUTES_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Minute:
    """How many messages of a run were finished in one minute, and when the first of them was."""

    began_at: datetime
    done: int


def minute_of(at: datetime) -> datetime:
    """Return the beginning of the minute that an instant lies in."""
    return at.replace(second=0, microsecond=0)


def recent_rate(minutes: Sequence[Minute], at: datetime) -> float | None:
    """Return how many messages a second were finished of late; None while that says nothing."""
    recent = [each for each in minutes if at - each.began_at <= RECENT]
    if not recent:
        return None
    span = at - min(each.began_at for each in recent)
    done = sum(each.done for each in recent)
    if done < DONE_LEAST or span < SPAN_LEAST:
        return None
    return done / span.total_seconds()


def estimate_end(waiting: int, minutes: Sequence[Minute], at: datetime) -> datetime | None:
    """Return when a run will be through at its recent speed; None while nobody can say.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> estimate_end(120, [Minute(noon - timedelta(minutes=1), 60)], noon).minute
    2
    """
    rate = recent_rate(minutes, at)
    if rate is None or not waiting:
        return None
    return at + timedelta(seconds=waiting / rate)
