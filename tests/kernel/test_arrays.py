"""What is packed here arrives in the database as it was."""

from datetime import UTC, datetime

import pytest

from giftpad.kernel.arrays import HashArray, InstantArray, IntegerArray, UuidArray
from giftpad.kernel.db import database
from giftpad.kernel.ids import new_ids_packed

INSTANTS = [
    datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 4, 1, 9, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC),
]
CASES = [
    (UuidArray.of, new_ids_packed(3), "uuid"),
    (lambda values: HashArray.of(values, width=4), [b"\0\0\0\0", b"a'\\b", b"\xff\xfe{}"], "bytea"),
    (IntegerArray.of, [0, -1, 2**63 - 1], "bigint"),
    (InstantArray.of, INSTANTS, "timestamptz"),
]


@pytest.mark.parametrize(("pack", "values", "kind"), CASES)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_array_arrives_as_it_was_packed(house, pack, values, kind, count):
    packed = pack(values[:count])
    statement = f"SELECT CAST(%(packed)s AS {kind}[])"
    with database().hot_connection() as connection:
        (arrived,) = connection.execute(statement, {"packed": packed}).fetchone()
    assert packed.count == count
    assert [getattr(value, "bytes", value) for value in arrived] == values[:count]


def test_values_of_another_width_are_not_packed():
    with pytest.raises(AssertionError):
        UuidArray.of([b"\0" * 16, b"\0" * 15])


def test_packed_ids_are_ids_that_grow_with_time():
    ids = new_ids_packed(1000)
    assert ids == sorted(set(ids))
    assert {one[6] >> 4 for one in ids} == {7}
