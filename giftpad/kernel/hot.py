"""A connection for hot calls: one prepared statement, its rows, one call into libpq.

psycopg's cursor waits in Python and lets go of the interpreter's lock several times a statement;
with many threads each of these is a turn that another one takes.  Here it is let go of once.

Hides: how values and rows look on the wire.  For a few rows; they are all read at once.
Source: PostgreSQL's documentation, "Binary representation" and libpq's PQexecPrepared.
"""

from __future__ import annotations

import functools
import itertools
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.rows import TupleRow

from giftpad.kernel.arrays import ARRAYS, EPOCH, BytesArray, PackedArray, read_texts

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_INTEGER = struct.Struct("!q")
_numbers = itertools.count(1)


@functools.cache
def _numbered(statement: str) -> tuple[bytes, bytes, tuple[str, ...]]:
    """Return a name for a statement, its text with numbered parameters, and their names."""
    names = tuple(dict.fromkeys(_PLACEHOLDER.findall(statement)))
    text = _PLACEHOLDER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    return b"hot_%d" % next(_numbers), text.encode(), names


def _packed(value: PackedArray) -> bytes:
    return value.data


_WRITERS: Mapping[type, tuple[Callable[[Any], bytes | None], Format]] = {
    **dict.fromkeys(ARRAYS, (_packed, Format.BINARY)),
    type(None): (lambda _: None, Format.TEXT),
    UUID: (lambda value: value.bytes, Format.BINARY),
    str: (str.encode, Format.TEXT),
    bytes: (bytes, Format.BINARY),
    int: (lambda value: b"%d" % value, Format.TEXT),
    list: (lambda value: BytesArray.of(value).data, Format.BINARY),
}
"""How a value is written, by its type; a list is one of bytes."""


def _write(value: Any) -> tuple[bytes | None, Format]:
    """Return a parameter as the server reads it, and in which format."""
    write, form = _WRITERS[type(value)]
    return write(value), form


_READERS: Mapping[int, Callable[[bytes], Any]] = {
    16: lambda data: data == b"\x01",
    17: bytes,
    20: lambda data: _INTEGER.unpack(data)[0],
    25: bytes.decode,
    1009: read_texts,
    1184: lambda data: EPOCH + timedelta(microseconds=_INTEGER.unpack(data)[0]),
    2950: lambda data: UUID(bytes=data),
}
"""How a value is read, by PostgreSQL's number of its type: bool, bytea, bigint, text, text[],
timestamptz, uuid."""


class HotConnection(psycopg.Connection[TupleRow]):
    """A connection in autocommit that remembers what it has prepared."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._named: set[bytes] = set()

    def call(self, statement: LiteralString, values: Mapping[str, Any]) -> list[TupleRow]:
        """Run a statement with ``%(name)s`` parameters and return its rows.

        Raises: psycopg.Error, of the same classes as a cursor.
        """
        name, text, names = _numbered(statement)
        if name not in self._named:
            self._check(self.pgconn.prepare(name, text), ExecStatus.COMMAND_OK)
            self._named.add(name)
        written = [_write(values[each]) for each in names]
        data: list[Any] = [data for data, _ in written]  # None too, which its type leaves out
        forms = [form for _, form in written]
        answer = self.pgconn.exec_prepared(name, data, forms, Format.BINARY)
        self._check(answer, ExecStatus.TUPLES_OK)
        readers = [_READERS[answer.ftype(column)] for column in range(answer.nfields)]
        return [_row(answer, number, readers) for number in range(answer.ntuples)]

    def _check(self, answer: PGresult, wanted: ExecStatus) -> None:
        if answer.status == wanted:
            return
        if self.pgconn.status == ConnStatus.BAD:
            error = psycopg.OperationalError(self.pgconn.get_error_message())
            self.close()  # so that it is not given to anybody again
            raise error
        raise error_from_result(answer)


def _row(answer: PGresult, number: int, readers: Sequence[Callable[[bytes], Any]]) -> TupleRow:
    values = [answer.get_value(number, column) for column in range(len(readers))]
    return tuple(
        None if value is None else read(value) for value, read in zip(values, readers, strict=True)
    )
