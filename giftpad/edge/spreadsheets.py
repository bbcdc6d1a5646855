"""Lines of CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from giftpad.kernel.cells import guard_cell


def write_line(cells: Iterable[object]) -> str:
    """Write one line in which every cell is quoted and no text can become a formula."""
    line = io.StringIO()
    guarded = [guard_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(guarded)
    return line.getvalue()
