"""XLSX workbooks: looked through before they are opened, then read by calamine.

Hides: ZIP, XML, calamine.  It takes as much memory as the box around all cells of a sheet asks
for, so that two cells in far corners would end the process; and what a packed file holds is only
known by unpacking it.  Both are measured here first, in little memory.

Source: ECMA-376, SpreadsheetML.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from xml.parsers import expat

import python_calamine

from giftpad.sheets.errors import (
    NotATable,
    SheetEmpty,
    SheetTooLarge,
    SheetTooLong,
    SheetTooWide,
    WorkbookBroken,
    WorkbookProtected,
)
from giftpad.sheets.rules.sheet import COLUMNS_MAX, Lines

UNPACKED_MAX = 256 * 1024 * 1024
MEMBERS_MAX = 2000
CELLS_MAX = 4_000_000
"""Cells of the box around a sheet's cells; each takes some 30 bytes when it is opened."""

ROWS_SPARE = 1000
"""Rows that may be empty or stand above the header, beyond those that are read."""

_BLOCK_SIZE = 1 << 18
_MEGABYTE = 1024 * 1024
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)
_MAIN_PART = "xl/workbook.xml"
_ENCRYPTED = 0x1


class _Box:
    """The box around the cells of one sheet that hold something, measured while it is parsed."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._row = self._column = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise WorkbookBroken

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                given = attributes.get("r")
                self._row = self._row + 1 if given is None else _number(given)
                self._column = 0
            case "c":
                self._column += 1
                if (given := attributes.get("r")) is not None:
                    self._column, self._row = _place(given)
            case "v" | "is":
                self.rows = max(self.rows, self._row)
                self.columns = max(self.columns, self._column)


def _number(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise WorkbookBroken
    return int(text)


def _place(reference: str) -> tuple[int, int]:
    """Return column and row of a reference such as B12, both counted from one."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise WorkbookBroken
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column, int(found[2])


def _look_through(data: bytes, rows_max: int) -> None:
    """Refuse a file that is no workbook, or one that would take too much to open.

    Raises: NotATable, WorkbookBroken, WorkbookProtected, SheetTooLarge, SheetTooLong,
    SheetTooWide.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if _MAIN_PART not in archive.namelist():
                raise NotATable
            if len(members) > MEMBERS_MAX:
                raise WorkbookBroken
            left = UNPACKED_MAX
            for member in members:
                if member.flag_bits & _ENCRYPTED:
                    raise WorkbookProtected
                left -= _measure(archive, member, left=left, rows_max=rows_max)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError) as error:
        raise WorkbookBroken from error


def _measure(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, left: int, rows_max: int) -> int:
    """Unpack one part, and return how large it is; a lie about its size is found by its sum."""
    size = 0
    box: _Box | None = None
    with archive.open(member) as part:
        while block := part.read(_BLOCK_SIZE):
            size += len(block)
            if size > left:
                raise SheetTooLarge(most_mb=UNPACKED_MAX // _MEGABYTE)
            if size == len(block) and block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
                box = _Box()
            if box is not None:
                _parse(box, block)
                _check_box(box, rows_max)
    return size


def _parse(box: _Box, block: bytes) -> None:
    try:
        box.parser.Parse(block, False)  # noqa: FBT003 - expat takes it by position only
    except expat.ExpatError as error:
        raise WorkbookBroken from error


def _check_box(box: _Box, rows_max: int) -> None:
    if box.columns > COLUMNS_MAX:
        raise SheetTooWide(most=COLUMNS_MAX)
    if box.rows > rows_max + ROWS_SPARE or box.rows * box.columns > CELLS_MAX:
        raise SheetTooLong(most=rows_max)


def open_workbook(data: bytes, rows_max: int) -> Lines:
    """Open the first sheet of a workbook that is shown, and return how its lines are read.

    Raises: NotATable, SheetEmpty, WorkbookBroken, WorkbookProtected, SheetTooLarge, SheetTooLong,
    SheetTooWide.
    """
    _look_through(data, rows_max)
    try:
        with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheet = _first_shown(book)
    except python_calamine.PasswordError as error:
        raise WorkbookProtected from error
    except python_calamine.CalamineError as error:
        raise WorkbookBroken from error

    def lines() -> Iterator[tuple[int, list[str]]]:
        for line, row in enumerate(sheet.iter_rows(), start=1):
            yield line, [_to_text(value) for value in row]

    return lines


def _first_shown(book: python_calamine.CalamineWorkbook) -> python_calamine.CalamineSheet:
    for place, about in enumerate(book.sheets_metadata):
        if (
            about.typ == python_calamine.SheetTypeEnum.WorkSheet
            and about.visible == python_calamine.SheetVisibleEnum.Visible
        ):
            return book.get_sheet_by_index(place)
    raise SheetEmpty


def _to_text(value: object) -> str:
    """Write a cell as a person reads it: no exponents, dates as 2027-03-31."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
        case datetime():
            has_time = value.time() != time.min
            return value.isoformat(" ", "seconds") if has_time else value.date().isoformat()
        case _:
            return str(value)
