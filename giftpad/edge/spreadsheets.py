"""Lines of CSV for spreadsheets.

Hides: which beginnings of a cell a spreadsheet takes for a formula, full-width ones included.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

_FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)


def write_line(cells: Iterable[object]) -> str:
    """Write one line in which every cell is quoted and no text can become a formula."""
    line = io.StringIO()
    guarded = [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
        for cell in cells
    ]
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(guarded)
    return line.getvalue()
