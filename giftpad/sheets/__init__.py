"""Sheets: reading the tables that people hand in, and writing those they take away.

Knows: CSV and pasted cells in the encodings of spreadsheets, XLSX workbooks, names of columns.
Hides: encodings, quoting, spellings of headers, formulas, workbooks made to burst a process.
Does not know: what a table is about, tenants, the database, HTTP.
"""

from giftpad.sheets.errors import (
    EncodingUnknown,
    NotATable,
    QuotesUnmatched,
    SheetEmpty,
    SheetTooLarge,
    SheetTooLong,
    SheetTooWide,
    SheetUnreadable,
    WorkbookBroken,
    WorkbookOld,
    WorkbookProtected,
)
from giftpad.sheets.queries import read_sheet
from giftpad.sheets.rules.cells import (
    CELL_SENTENCES,
    FieldFault,
    LineFault,
    clean_day,
    clean_email,
    clean_folded,
    clean_kana,
    clean_name,
    clean_phone,
    clean_prefecture,
    clean_text,
    clean_truth,
    clean_whole,
)
from giftpad.sheets.rules.columns import Columns, Matched, fold_name, match_columns
from giftpad.sheets.rules.sheet import COLUMNS_MAX, ROWS_MAX, SIZE_MAX, Sheet
from giftpad.sheets.rules.streaming import stream_xlsx
from giftpad.sheets.rules.texts import is_text, read_lines
from giftpad.sheets.rules.writing import write_csv, write_line, write_xlsx

__all__ = [
    "CELL_SENTENCES",
    "COLUMNS_MAX",
    "ROWS_MAX",
    "SIZE_MAX",
    "Columns",
    "EncodingUnknown",
    "FieldFault",
    "LineFault",
    "Matched",
    "NotATable",
    "QuotesUnmatched",
    "Sheet",
    "SheetEmpty",
    "SheetTooLarge",
    "SheetTooLong",
    "SheetTooWide",
    "SheetUnreadable",
    "WorkbookBroken",
    "WorkbookOld",
    "WorkbookProtected",
    "clean_day",
    "clean_email",
    "clean_folded",
    "clean_kana",
    "clean_name",
    "clean_phone",
    "clean_prefecture",
    "clean_text",
    "clean_truth",
    "clean_whole",
    "fold_name",
    "is_text",
    "match_columns",
    "read_lines",
    "read_sheet",
    "stream_xlsx",
    "write_csv",
    "write_line",
    "write_xlsx",
]
