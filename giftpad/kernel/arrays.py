"""Arrays as PostgreSQL reads them without parsing: for statements that carry many rows at once.

A list of 50,000 ids costs several times as long to write as text and to read again as to store.
An array made here is a parameter like any other; the server checks its form.

Hides: the binary form of an array, the numbers of PostgreSQL's types, how psycopg is told.
Source: PostgreSQL, src/backend/utils/adt/arrayfuncs.c (array_recv).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_INTEGER = struct.Struct("!q")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where PostgreSQL begins to count microseconds."""
_MICROSECOND = timedelta(microseconds=1)
_ONE_DIMENSION, _WITHOUT_NULLS, _FROM_ONE = 1, 0, 1


@dataclass(frozen=True, slots=True)
class PackedArray:
    """An array of one dimension; none of its values is NULL."""

    data: bytes
    count: int
    element_oid: ClassVar[int]
    array_oid: ClassVar[int]

    @classmethod
    def _of(cls, values: Iterable[bytes], width: int) -> tuple[bytes, int]:
        parts = list(values)
        assert all(len(part) == width for part in parts), "values of one width only"
        length = _LENGTH.pack(width)
        head = _HEAD.pack(_ONE_DIMENSION, _WITHOUT_NULLS, cls.element_oid, len(parts), _FROM_ONE)
        body = length + length.join(parts) if parts else b""
        return head + body, len(parts)

    @classmethod
    def _of_any_width(cls, parts: Sequence[bytes]) -> tuple[bytes, int]:
        head = _HEAD.pack(_ONE_DIMENSION, _WITHOUT_NULLS, cls.element_oid, len(parts), _FROM_ONE)
        return head + b"".join(_LENGTH.pack(len(part)) + part for part in parts), len(parts)


class UuidArray(PackedArray):
    """``uuid[]``."""

    element_oid, array_oid = 2950, 2951

    @classmethod
    def of(cls, values: Iterable[bytes]) -> UuidArray:
        """Pack identifiers, each given as its 16 bytes."""
        return cls(*cls._of(values, 16))


class HashArray(PackedArray):
    """``bytea[]`` of values of one width."""

    element_oid, array_oid = 17, 1001

    @classmethod
    def of(cls, values: Iterable[bytes], *, width: int) -> HashArray:
        """Pack values of ``width`` bytes."""
        return cls(*cls._of(values, width))


class BytesArray(PackedArray):
    """``bytea[]`` of values of any width."""

    element_oid, array_oid = 17, 1001

    @classmethod
    def of(cls, values: Iterable[bytes]) -> BytesArray:
        """Pack values."""
        return cls(*cls._of_any_width(list(values)))


class IntegerArray(PackedArray):
    """``bigint[]``."""

    element_oid, array_oid = 20, 1016

    @classmethod
    def of(cls, values: Iterable[int]) -> IntegerArray:
        """Pack integers of 64 bits."""
        return cls(*cls._of(map(_INTEGER.pack, values), 8))


class TextArray(PackedArray):
    """``text[]``."""

    element_oid, array_oid = 25, 1009

    @classmethod
    def of(cls, values: Iterable[str]) -> TextArray:
        """Pack texts."""
        return cls(*cls._of_any_width([value.encode() for value in values]))


class InstantArray(PackedArray):
    """``timestamptz[]``."""

    element_oid, array_oid = 1184, 1185

    @classmethod
    def of(cls, values: Iterable[datetime]) -> InstantArray:
        """Pack instants with a zone."""
        instants = ((value - EPOCH) // _MICROSECOND for value in values)
        return cls(*cls._of(map(_INTEGER.pack, instants), 8))


def read_texts(data: bytes) -> list[str | None]:
    """Return the values of a ``text[]`` of one dimension, or of none."""
    found: list[str | None] = []
    if len(data) < _HEAD.size:  # an empty array has no dimension
        return found
    *_, count, _ = _HEAD.unpack_from(data)
    at = _HEAD.size
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length < 0:
            found.append(None)
        else:
            found.append(data[at : at + length].decode())
            at += length
    return found


def _teach(kind: type[PackedArray]) -> None:
    class PackedDumper(Dumper):
        format = Format.BINARY
        oid = kind.array_oid

        def dump(self, obj: PackedArray) -> bytes:
            return obj.data

    psycopg.adapters.register_dumper(kind, PackedDumper)


ARRAYS = (UuidArray, HashArray, BytesArray, IntegerArray, TextArray, InstantArray)
for _kind in ARRAYS:
    _teach(_kind)
