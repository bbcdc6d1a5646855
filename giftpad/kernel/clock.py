"""Local dates and instants: a date is inclusive, and ends at the next midnight of its zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DEFAULT_ZONE = "Asia/Tokyo"


def local_date(instant: datetime, zone: str) -> date:
    """Return the date that ``instant`` falls on in ``zone``."""
    return instant.astimezone(ZoneInfo(zone)).date()


def start_of(day: date, zone: str) -> datetime:
    """Return the instant at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def end_of(day: date, zone: str) -> datetime:
    """Return the instant at which ``day`` is over in ``zone``: its next midnight."""
    return start_of(day + timedelta(days=1), zone)
