"""A hot call: values arrive as they were, errors are psycopg's, a broken connection is closed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from giftpad.kernel.arrays import BytesArray, IntegerArray, TextArray, UuidArray
from giftpad.kernel.hot import HotConnection

SOME_ID = UUID("01a1ffd6-3df7-73e0-822c-953cca95e6da")
CASES = [
    ("uuid", SOME_ID),
    ("text", "漢字 '\\ $1"),
    ("text", ""),
    ("bytea", b"\x00'\\\xff"),
    ("bigint", 0),
    ("bigint", -(2**63)),
    ("bigint", 2**63 - 1),
    ("text", None),
]


@pytest.fixture
def hot(settings):
    connection = HotConnection.connect(settings.database_url, autocommit=True)
    yield connection
    connection.close()


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_a_value_arrives_as_it_was(hot, kind, value):
    for _ in range(2):  # prepared, and again
        assert hot.call(f"SELECT CAST(%(value)s AS {kind})", {"value": value}) == [(value,)]


def test_hashes_are_compared_as_an_array(hot):
    statement = "SELECT %(one)s::bytea = ANY (%(all)s::bytea[]), %(all)s::bytea[] = '{}'"
    assert hot.call(statement, {"one": b"ab", "all": [b"xy", b"ab"]}) == [(True, False)]
    assert hot.call(statement, {"one": b"ab", "all": []}) == [(False, True)]


def test_what_is_only_read_is_read_too(hot):
    (row,) = hot.call(
        "SELECT '2026-04-01 09:00+09'::timestamptz, '1999-12-31 00:00:00.000001+00'::timestamptz,"
        " ARRAY['中央', NULL, ''], '{}'::text[]",
        {},
    )
    assert row == (
        datetime(2026, 4, 1, tzinfo=UTC),
        datetime(1999, 12, 31, 0, 0, 0, 1, tzinfo=UTC),
        ["中央", None, ""],
        [],
    )


def test_rows_are_as_many_as_there_are(hot):
    assert hot.call("SELECT 1::bigint WHERE %(no)s::text IS NULL", {"no": "x"}) == []
    statement = "SELECT n::bigint, NULLIF(n, 2)::bigint FROM generate_series(1, 3) n"
    assert hot.call(statement, {}) == [(1, 1), (2, None), (3, 3)]


def test_arrays_arrive_as_they_were(hot):
    statement = (
        "SELECT t, encode(b, 'escape'), i, u FROM unnest("
        "%(texts)s::text[], %(bytes)s::bytea[], %(integers)s::bigint[], %(ids)s::uuid[])"
        " AS each (t, b, i, u)"
    )
    values = {
        "texts": TextArray.of(["漢字", ""]),
        "bytes": BytesArray.of([b"", b"abc"]),
        "integers": IntegerArray.of([-(2**63), 1]),
        "ids": UuidArray.of([SOME_ID.bytes] * 2),
    }
    assert hot.call(statement, values) == [
        ("漢字", "", -(2**63), SOME_ID),
        ("", "abc", 1, SOME_ID),
    ]


def test_errors_have_the_classes_that_a_cursor_raises(hot):
    hot.execute("SET statement_timeout = 20")
    with pytest.raises(psycopg.errors.QueryCanceled):
        hot.call("SELECT pg_sleep(5)::text", {})
    with pytest.raises(psycopg.errors.DivisionByZero):
        hot.call("SELECT 1::bigint / %(by)s::bigint", {"by": 0})
    with pytest.raises(psycopg.errors.UndefinedTable):
        hot.call("SELECT 1::bigint FROM nowhere", {})
    assert hot.call("SELECT 1::bigint", {}) == [(1,)]


def test_a_connection_that_broke_is_closed(hot, superuser_url):
    with psycopg.connect(superuser_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (hot.info.backend_pid,))
    with pytest.raises(psycopg.OperationalError):
        for _ in range(2):  # the first may tell that it was ended, the second that it is gone
            hot.call("SELECT 1::bigint", {})
    with pytest.raises(psycopg.OperationalError):
        hot.call("SELECT 1::bigint", {})
    assert hot.closed
