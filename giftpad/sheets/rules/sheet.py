"""A table that was handed in, as a header and rows, whatever file it came in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from giftpad.kernel.cells import unguard_cell
from giftpad.sheets.errors import SheetEmpty, SheetTooLong, SheetTooWide

SIZE_MAX = 32 * 1024 * 1024
ROWS_MAX = 100_000
COLUMNS_MAX = 200
Lines = Callable[[], Iterator[tuple[int, list[str]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table: its header, and its rows by the numbers they have in the file.

    ``kind`` is "csv", "tsv" or "xlsx"; ``encoding`` is empty for a workbook.
    """

    kind: str
    encoding: str
    header: tuple[str, ...]
    header_line: int
    rows_max: int = ROWS_MAX
    lines: Lines = field(repr=False)

    def rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Read the rows below the header as ``(line, cells)``; empty ones are passed over.

        Cells are trimmed, and the apostrophe that kept one from being a formula is gone.  A row
        has as many cells as the header; one that has more of them shows that a text with the
        separator in it was not quoted.
        Raises: SheetTooLong, QuotesUnmatched.
        """
        width, count = len(self.header), 0
        for line, cells in self.lines():
            if line <= self.header_line:
                continue
            row = [unguard_cell(cell).strip() for cell in cells]
            if not any(row):
                continue
            count += 1
            if count > self.rows_max:
                raise SheetTooLong(most=self.rows_max)
            while len(row) > width and not row[-1]:
                row.pop()
            # A spreadsheet leaves out separators at the end of rows that end with empty cells.
            row += [""] * (width - len(row))
            yield line, tuple(row)


def open_sheet(kind: str, lines: Lines, *, encoding: str = "", rows_max: int = ROWS_MAX) -> Sheet:
    """Take the first line that is not empty for the header.

    Raises: SheetEmpty, SheetTooWide, QuotesUnmatched.
    """
    for line, cells in lines():
        header = [unguard_cell(cell).strip() for cell in cells]
        while header and not header[-1]:
            header.pop()
        if len(header) > COLUMNS_MAX:
            raise SheetTooWide(most=COLUMNS_MAX)
        if header:
            return Sheet(
                kind=kind,
                encoding=encoding,
                header=tuple(header),
                header_line=line,
                rows_max=rows_max,
                lines=lines,
            )
    raise SheetEmpty
