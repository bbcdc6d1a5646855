"""Hours in which no letter leaves: nobody is to be woken by one."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(at: datetime, begin: time, end: time, zone: str) -> datetime | None:
    """Return the end of the quiet hours that an instant falls into, or None if it is loud.

    The same hour as ``begin`` and ``end`` means that no hour is quiet.

    >>> from datetime import UTC
    >>> night = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
    >>> quiet_until(night, time(21), time(8), "Asia/Tokyo").isoformat()
    '2026-11-22T23:00:00+00:00'
    >>> quiet_until(night, time(8), time(21), "Asia/Tokyo") is None
    True
    """
    local = at.astimezone(ZoneInfo(zone))
    now = local.time()
    if begin == end:
        return None
    over_night = begin > end
    is_quiet = (now >= begin or now < end) if over_night else begin <= now < end
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if over_night and now >= begin else 0)
    return datetime.combine(day, end, tzinfo=local.tzinfo).astimezone(at.tzinfo)
