"""How long a coupon is valid, as a table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from giftpad.programmes import ProgrammeOver, Terms, Validity, coupon_validity
from giftpad.programmes.rules import add_months

TERMS = Terms(
    slug="kurashi",
    names={"ja": "券", "en": "coupon"},
    unit="JPY",
    starts_on=date(2026, 4, 1),
    ends_on=date(2027, 3, 31),
    groups=(),
    areas=(),
    ceiling_minor=None,
    validity=Validity(days=1),
    serial_prefix="KO",
    face_text={"ja": (), "en": ()},
    template="coupon_a4_8up",
    spendable_from="release",
    quantity_max=10,
    face_value_min_minor=1,
    face_value_max_minor=10,
)


@pytest.mark.parametrize(
    ("validity", "issued_on", "starts_on", "ends_on"),
    [
        (Validity(days=1), date(2026, 5, 10), date(2026, 5, 10), date(2026, 5, 10)),
        (Validity(days=30), date(2026, 5, 10), date(2026, 5, 10), date(2026, 6, 8)),
        (Validity(months=1), date(2026, 5, 10), date(2026, 5, 10), date(2026, 6, 9)),
        (Validity(months=5), date(2026, 8, 31), date(2026, 8, 31), date(2027, 1, 30)),
        (Validity(months=6), date(2026, 8, 31), date(2026, 8, 31), date(2027, 2, 27)),
        (Validity(months=9), date(2026, 8, 31), date(2026, 8, 31), date(2027, 3, 31)),
        (
            Validity(until=date(2026, 12, 31)),
            date(2026, 5, 10),
            date(2026, 5, 10),
            date(2026, 12, 31),
        ),
        (Validity(until=date(2030, 1, 1)), date(2026, 5, 10), date(2026, 5, 10), date(2027, 3, 31)),
        (Validity(days=60), date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 30)),
        (Validity(months=1), date(2026, 1, 20), date(2026, 4, 1), date(2026, 4, 30)),
        (Validity(days=5), date(2025, 11, 21), date(2026, 4, 1), date(2026, 4, 5)),
        (Validity(days=60), date(2027, 3, 31), date(2027, 3, 31), date(2027, 3, 31)),
    ],
)
def test_validity_is_inclusive_and_never_outlives_the_programme(
    validity, issued_on, starts_on, ends_on
):
    assert coupon_validity(replace(TERMS, validity=validity), issued_on) == (starts_on, ends_on)


@pytest.mark.parametrize(
    ("validity", "issued_on"),
    [
        (Validity(days=60), date(2027, 4, 1)),
        (Validity(until=date(2026, 12, 31)), date(2027, 1, 1)),
        (Validity(until=date(2026, 3, 31)), date(2026, 3, 1)),
    ],
)
def test_nothing_is_issued_that_would_never_be_valid(validity, issued_on):
    with pytest.raises(ProgrammeOver):
        coupon_validity(replace(TERMS, validity=validity), issued_on)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 12, 15), 12, date(2027, 12, 15)),
        (date(2026, 11, 30), 25, date(2028, 12, 30)),
    ],
)
def test_months_are_added_by_the_calendar(day, months, expected):
    assert add_months(day, months) == expected


def test_a_validity_is_exactly_one_of_three():
    for given in ({}, {"days": 1, "months": 1}, {"until": date(2026, 1, 1), "days": 1}):
        with pytest.raises(AssertionError):
            Validity(**given)
