"""QR matrices: a table of XORs for texts of one length, the library for everything else.

For a fixed version, error correction level, mask, mode and length a QR matrix is an affine
function over GF(2) of the data bits: the Reed-Solomon code is linear, placement only moves bits
and the mask is a constant.  So the matrix of a text is a base matrix XOR one table entry for each
pair of characters.  The tables are made with the ``qrcode`` library, and checked against it on
random texts, when the first text of a length arrives.

Hides: the tables, the choice of mask, the library.
Source: ISO/IEC 18004, 7.4.4 (alphanumeric mode), 7.5 (error correction), 7.8 (masks).
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import qrcode
from qrcode import constants, util
from qrcode.image.base import BaseImage

QUIET_MODULES: Final = 4
MODULE_MM_MIN: Final = 0.4

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_CHARACTERS: Final = frozenset(_ALPHABET)
_RADIX: Final = len(_ALPHABET)
_PAIRS: Final = [left + right for left in _ALPHABET for right in _ALPHABET]
_PAIR_BITS: Final = 11
_SINGLE_BITS: Final = 6
_ALPHANUMERIC_MODE: Final = 2
_DARK_RUN: Final = re.compile("1+")
_MASKS: Final = range(8)
_CHECKED_TEXTS: Final = 4
_FAST_LENGTHS: Final = range(20, 151)
_HEAD: Final = 24
"""Characters that the texts of one print mostly share: an address and what follows it."""
_HEADS_MAX: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class QrMatrix:
    """Square of modules, one bit each, rows padded to whole bytes; a set bit is dark."""

    size: int
    rows: bytes

    @property
    def stride(self) -> int:
        """Count the bytes of one row."""
        return (self.size + 7) // 8

    def dark_runs(self) -> Iterator[tuple[int, int, int]]:
        """List horizontal runs of dark modules as (column, row from the top, length)."""
        width = self.stride * 8
        bits = format(int.from_bytes(self.rows, "big"), f"0{len(self.rows) * 8}b")
        for row in range(self.size):
            for run in _DARK_RUN.finditer(bits[row * width : (row + 1) * width]):
                yield run.start(), row, run.end() - run.start()


def qr_matrix(text: str) -> QrMatrix:
    """Encode one of many texts of a length as a QR code with error correction level M.

    The first of a length waits for its tables, up to a second: see ``single_qr_matrix``.
    """
    if len(text) in _FAST_LENGTHS and set(text) <= _CHARACTERS:
        return _tables(len(text)).encode(text)
    return single_qr_matrix(text)


def single_qr_matrix(text: str) -> QrMatrix:
    """Encode a text that stands alone: some milliseconds by the library, and no tables."""
    code = _code(util.QRData(text), None, None)
    code.make(fit=True)
    return _packed(code.modules)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    size: int
    version: int
    mask: int
    byte_count: int
    base: int
    pairs: tuple[dict[str, int], ...]
    single: dict[str, int]
    heads: dict[str, int]
    """What the first characters make of the base, for the heads of late."""

    def encode(self, text: str) -> QrMatrix:
        """Encode a text of this length."""
        head = text[:_HEAD]
        bits = self.heads.get(head) or self._begin(head)
        at = _HEAD
        for table in self.pairs[_HEAD // 2 :]:
            bits ^= table[text[at : at + 2]]
            at += 2
        if self.single:
            bits ^= self.single[text[-1]]
        return QrMatrix(size=self.size, rows=bits.to_bytes(self.byte_count, "big"))

    def _begin(self, head: str) -> int:
        bits = self.base
        for at in range(0, len(head) - 1, 2):
            bits ^= self.pairs[at // 2][head[at : at + 2]]
        if len(self.heads) < _HEADS_MAX:
            self.heads[head] = bits
        return bits


@lru_cache(maxsize=4)
def _tables(length: int) -> _Tables:
    """Build the tables for texts of this length and prove them on random texts."""
    chance = random.Random(length)  # noqa: S311 - sample texts, not secrets
    samples = ["".join(chance.choices(_ALPHABET[:36], k=length)) for _ in range(_CHECKED_TEXTS)]
    version = _smallest_version(samples[0])
    mask = min(_MASKS, key=lambda mask: sum(_penalty(text, version, mask) for text in samples))
    # Every value of the base text is 1 and not 0: the library cannot divide a block of zeros.
    ones = "01" * (length // 2) + "1" * (length % 2)
    base = _library_matrix(ones, version, mask)
    base_bits = int.from_bytes(base.rows, "big")

    def table(at: int, width: int) -> dict[str, int]:
        """Tell what each value of ``width`` bits changes at this place, compared with a 1."""
        basis = []
        for bit in range(width):
            value = 1 ^ (1 << bit)
            piece = _ALPHABET[value // _RADIX] * (width == _PAIR_BITS) + _ALPHABET[value % _RADIX]
            changed = ones[:at] + piece + ones[at + len(piece) :]
            rows = _library_matrix(changed, version, mask).rows
            basis.append(int.from_bytes(rows, "big") ^ base_bits)
        pieces = _PAIRS if width == _PAIR_BITS else list(_ALPHABET)
        combined = _span(basis, len(pieces) + 1)
        return {piece: combined[value ^ 1] for value, piece in enumerate(pieces)}

    tables = _Tables(
        size=base.size,
        version=version,
        mask=mask,
        byte_count=len(base.rows),
        base=base_bits,
        pairs=tuple(table(2 * at, _PAIR_BITS) for at in range(length // 2)),
        single=table(length - 1, _SINGLE_BITS) if length % 2 else {},
        heads={},
    )
    for text in samples:
        assert tables.encode(text) == _library_matrix(text, version, mask)
    return tables


def _span(basis: list[int], count: int) -> list[int]:
    """Combine the basis for every value below ``count``, each from one with a bit less."""
    combined = [0]
    for value in range(1, count):
        lowest = value & -value
        combined.append(combined[value ^ lowest] ^ basis[lowest.bit_length() - 1])
    return combined


def _code(data: util.QRData, version: int | None, mask: int | None) -> qrcode.QRCode[BaseImage]:
    code = qrcode.QRCode(
        version=version,
        error_correction=constants.ERROR_CORRECT_M,
        image_factory=BaseImage,
        mask_pattern=mask,
    )
    code.add_data(data)
    return code


def _alphanumeric(text: str) -> util.QRData:
    return util.QRData(text, mode=_ALPHANUMERIC_MODE)


def _smallest_version(text: str) -> int:
    return int(_code(_alphanumeric(text), None, None).best_fit())


def _library_matrix(text: str, version: int, mask: int) -> QrMatrix:
    code = _code(_alphanumeric(text), version, mask)
    code.make(fit=False)
    return _packed(code.modules)


def _penalty(text: str, version: int, mask: int) -> int:
    matrix = _library_matrix(text, version, mask)
    modules: list[list[bool | None]] = [[False] * matrix.size for _ in range(matrix.size)]
    for column, row, length in matrix.dark_runs():
        modules[row][column : column + length] = [True] * length
    return int(util.lost_point(modules))


def _packed(modules: list[list[bool | None]]) -> QrMatrix:
    size = len(modules)
    stride = (size + 7) // 8
    rows = bytearray()
    for row in modules:
        bits = int("".join("1" if dark else "0" for dark in row), 2) << (stride * 8 - size)
        rows += bits.to_bytes(stride, "big")
    return QrMatrix(size=size, rows=bytes(rows))
