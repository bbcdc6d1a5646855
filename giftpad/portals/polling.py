"""How often a part of a page asks for itself again while work goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

YOUNG = timedelta(minutes=2)
YOUNG_S, OLD_S = 3, 10


def pause_s(began_at: datetime, now: datetime) -> int:
    """Return the seconds between two looks at work that began then: short at first."""
    return YOUNG_S if now - began_at < YOUNG else OLD_S
