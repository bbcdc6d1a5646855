"""Writing tables that a spreadsheet opens: no text becomes a formula, none changes.

Hides: quoting, marks, openpyxl.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font

from giftpad.kernel.cells import guard_cell

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What XML cannot hold."""

_CELL_LENGTH_MAX = 32_767
"""What a cell of a workbook can hold."""


def write_line(cells: Iterable[object]) -> str:
    """Write one line of CSV in which every cell is quoted and no text can become a formula."""
    line = io.StringIO()
    guarded = [guard_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(guarded)
    return line.getvalue()


def write_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a table as CSV in UTF-8 with the mark by which spreadsheets know it."""
    text = write_line(header) + "".join(write_line(row) for row in rows)
    return codecs.BOM_UTF8 + text.encode()


def write_xlsx(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = ""
) -> bytes:
    """Write a table as a workbook of one sheet, whose header stays in sight.

    Texts are texts, also where they look like numbers or formulas; numbers and dates are such.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title or None)
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)

    def written(value: object, font: Font | None = None) -> Cell:
        cell = WriteOnlyCell(sheet)
        kept = value if isinstance(value, int | float | date | datetime) else writable_text(value)
        cell.value = kept
        if isinstance(kept, str):
            cell.data_type = "s"  # openpyxl would make a formula of a text with "="
            cell.number_format = "@"
        if font is not None:
            cell.font = font
        return cell

    sheet.append([written(name, bold) for name in header])
    for row in rows:
        sheet.append([written(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def writable_text(value: object) -> str:
    """Return what a cell of a workbook shows of a value that is neither number nor date."""
    text = "" if value is None else str(value)
    return guard_cell(_UNWRITABLE.sub("", text))[:_CELL_LENGTH_MAX]
