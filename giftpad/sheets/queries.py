"""Reading a table that was handed in, by what its bytes are and not by what its name says."""

from __future__ import annotations

import io

from giftpad.sheets.adapters import open_workbook
from giftpad.sheets.errors import (
    NotATable,
    SheetEmpty,
    SheetTooLarge,
    WorkbookOld,
    WorkbookProtected,
)
from giftpad.sheets.rules.sheet import ROWS_MAX, SIZE_MAX, Sheet, open_sheet
from giftpad.sheets.rules.texts import detect_encoding, find_delimiter, is_text, read_lines

_MEGABYTE = 1024 * 1024
_PACKED, _COMPOUND = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16-le")


def read_sheet(data: bytes, *, rows_max: int = ROWS_MAX, size_max: int = SIZE_MAX) -> Sheet:
    """Open a table: CSV, cells pasted from a spreadsheet, or the first sheet of a workbook.

    Raises: SheetUnreadable, as one of the causes in ``errors``; ``Sheet.rows`` may raise some
    of them later, for it reads on while it is asked.
    """
    if len(data) > size_max:
        raise SheetTooLarge(most_mb=size_max // _MEGABYTE)
    if data.startswith(_PACKED):
        return open_sheet("xlsx", open_workbook(data, rows_max), rows_max=rows_max)
    if data.startswith(_COMPOUND):
        # A workbook with a password is packed into the frame of the old kind.
        raise WorkbookProtected if _ENCRYPTED_PART in data else WorkbookOld
    if not is_text(data):
        raise NotATable
    if not data.strip():
        raise SheetEmpty
    stream = io.BytesIO(data)
    encoding = detect_encoding(stream)
    kind = "tsv" if find_delimiter(stream, encoding) == "\t" else "csv"
    return open_sheet(
        kind, lambda: read_lines(io.BytesIO(data)), encoding=encoding, rows_max=rows_max
    )
