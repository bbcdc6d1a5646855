"""A file of shops as its own text: cells of single lines, and the file with some written anew."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from typing import IO

from giftpad import sheets
from giftpad.kernel.cells import guard_cell, unguard_cell
from giftpad.shops.rules.sheet import field_of


def find_cells(stream: IO[bytes], lines: Collection[int]) -> dict[int, dict[str, str]]:
    """Return the cells of lines by field, as they stand; lines of another shape are left out."""
    found: dict[int, dict[str, str]] = {}
    fields: list[str] | None = None
    last = max(lines, default=0)
    try:
        for line, cells in sheets.read_lines(stream):
            if line > last:
                break
            if fields is None:
                if any(cell.strip() for cell in cells):
                    fields = [field_of(cell) for cell in cells]
            elif line in lines and len(cells) == len(fields):
                found[line] = dict(zip(fields, cells, strict=True))
    except sheets.SheetUnreadable:
        pass  # What follows cannot be taken apart; what came before can.
    return found


def write_mended(
    stream: IO[bytes],
    mends: Mapping[tuple[int, str], str],
    *,
    only: Collection[int] | None,
    is_guarded: bool = True,
) -> bytes:
    """Write a file anew with some cells mended; one that cannot be read comes back as it is.

    ``is_guarded`` is for a file that a spreadsheet opens: each cell has one apostrophe before what
    would be a formula, also where it had it already.  Without it cells stay as they were written.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    fields: list[str] | None = None
    is_empty = True
    try:
        for line, cells in sheets.read_lines(stream):
            is_empty = False
            row = cells
            if fields is None:
                if any(cell.strip() for cell in cells):
                    fields = [field_of(cell) for cell in cells]
            elif only is not None and line not in only:
                continue
            elif len(cells) == len(fields):
                row = [
                    mends.get((line, name), cell) for name, cell in zip(fields, cells, strict=True)
                ]
            writer.writerow([guard_cell(unguard_cell(cell)) for cell in row] if is_guarded else row)
    except sheets.SheetUnreadable:
        is_empty = True
    if is_empty:
        stream.seek(0)
        return stream.read()
    return out.getvalue().encode("utf-8-sig")
