"""A programme and its rules as plain values."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from giftpad.programmes.errors import ProgrammeOver

MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How long a coupon is valid: until a fixed day, or some days or months from its issue.

    Exactly one is set.  The day of issue, or that on which the programme begins if it is later,
    counts as the first day.
    """

    until: date | None = None
    days: int | None = None
    months: int | None = None

    def __post_init__(self) -> None:
        assert [self.until, self.days, self.months].count(None) == 2  # noqa: PLR2004 - of three


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The rules of a programme, as its pack writes them.

    ``groups`` and ``areas`` say which shops accept it; empty means all.  ``face_text`` has the
    lines printed on a coupon, by language.  Dates are inclusive.  ``gifts`` says whether what
    somebody was given can be kept as value of this programme.
    """

    slug: str
    names: Mapping[str, str]
    unit: str
    starts_on: date
    ends_on: date
    groups: tuple[str, ...]
    areas: tuple[str, ...]
    ceiling_minor: int | None
    validity: Validity
    serial_prefix: str
    face_text: Mapping[str, tuple[str, ...]]
    template: str
    spendable_from: str
    quantity_max: int
    face_value_min_minor: int
    face_value_max_minor: int
    gifts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme(Terms):
    """A programme that a tenant runs."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammePage:
    """One page of programmes; ``next_after`` continues it, or is None at the end."""

    items: tuple[Programme, ...]
    next_after: UUID | None


def add_months(day: date, months: int) -> date:
    """Return the same day some months later, or the last day of a month that is too short.

    >>> add_months(date(2026, 8, 31), 6)
    datetime.date(2027, 2, 28)
    """
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def coupon_validity(programme: Terms, issued_on: date) -> tuple[date, date]:
    """Return the first and the last day on which a coupon issued on a day can be spent.

    It never outlives its programme, and one that is printed ahead loses no day of it.
    Raises: ProgrammeOver.
    """
    validity = programme.validity
    starts_on = max(issued_on, programme.starts_on)
    if validity.until is not None:
        ends_on = validity.until
    elif validity.days is not None:
        ends_on = starts_on + timedelta(days=validity.days - 1)
    else:
        assert validity.months is not None
        ends_on = add_months(starts_on, validity.months) - timedelta(days=1)
    ends_on = min(ends_on, programme.ends_on)
    if ends_on < starts_on:
        raise ProgrammeOver(ends_on=ends_on.isoformat())
    return starts_on, ends_on
