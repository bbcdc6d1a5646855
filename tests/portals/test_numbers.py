"""A number is read as it was meant or not at all, on the desk and at the till alike."""

from __future__ import annotations

import pytest

from giftpad.portals.numbers import read_whole
from giftpad.portals.shop.paying import read_amount

CASES = {
    "350": 350,
    " 1,380 ": 1380,
    "1、380": 1380,
    "１，３８０円": 1380,
    "¥ 1,234,567": 1_234_567,
    "\\1,200": 1200,
    "007": 7,
    "0": 0,
    "-1": -1,
    **dict.fromkeys(["", "x", "1.5", "1,5", "1,38", ",350", "1,3800", "1e3", "٣", "--1", "5枚"]),
}


@pytest.mark.parametrize(("typed", "number"), CASES.items())
def test_a_number_is_read_as_it_was_meant(typed, number):
    assert read_whole(typed) == number
    assert read_amount(typed) == (number if number is not None and number > 0 else None)


def test_a_word_that_is_counted_in_is_forgiven_where_it_is_asked_for():
    assert read_whole("1,200枚", counted_in="枚") == 1200


def test_what_no_shop_takes_is_no_amount_and_costs_no_time():
    assert read_amount("9,999,999") == 9_999_999
    assert read_amount("10000000") is None
    assert read_whole("9" * 5000) > 10**19
    assert read_amount("9" * 5000) is None
