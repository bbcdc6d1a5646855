"""Why a file is no table that can be read: each cause in a sentence of its own."""

from __future__ import annotations

from giftpad.kernel.errors import Invalid


class SheetUnreadable(Invalid):
    """A file that is no readable table; each cause is a class of its own below."""


class SheetEmpty(SheetUnreadable):
    """There is nothing in the file, or not even a header."""

    code = "sheet.empty"
    sentence = "The file is empty. Its first line must name the columns."


class SheetTooLarge(SheetUnreadable):
    """The file has more bytes than may be read, packed or unpacked."""

    code = "sheet.too_large"
    sentence = "The file is larger than {most_mb} megabytes. Split it into several files."


class SheetTooLong(SheetUnreadable):
    """A sheet has more rows than may be read."""

    code = "sheet.too_long"
    sentence = "The table has more than {most} rows. Split it into several files."


class SheetTooWide(SheetUnreadable):
    """A sheet has more columns than any table of ours."""

    code = "sheet.too_wide"
    sentence = "The table has more than {most} columns. Remove those that are not needed."


class EncodingUnknown(SheetUnreadable):
    """The bytes are text of no encoding that we read; ``line`` is where they stop to be."""

    code = "sheet.encoding"
    sentence = (
        "Line {line} is neither UTF-8 nor Shift_JIS, at byte {byte} of the file."
        " Save the file again as CSV (UTF-8) or as XLSX."
    )


class QuotesUnmatched(SheetUnreadable):
    """A text begins with a quotation mark and does not end with one."""

    code = "sheet.quotes"
    sentence = (
        "The quotation marks of line {line} do not match."
        ' Close every text with ", and write "" for a quotation mark inside one.'
    )


class NotATable(SheetUnreadable):
    """A document, a picture, an archive: no table."""

    code = "sheet.not_a_table"
    sentence = "This is no table. Choose a CSV file or an Excel workbook (.xlsx)."


class WorkbookProtected(SheetUnreadable):
    """The workbook opens by a password only."""

    code = "sheet.protected"
    sentence = "The workbook is protected by a password. Save it without one."


class WorkbookOld(SheetUnreadable):
    """A workbook of before 2007."""

    code = "sheet.old_workbook"
    sentence = "This is a workbook of an old kind (.xls). Save it as .xlsx or as CSV (UTF-8)."


class WorkbookBroken(SheetUnreadable):
    """The workbook is cut off, damaged or not what it says."""

    code = "sheet.broken_workbook"
    sentence = "The workbook cannot be read. Open it, save it again as .xlsx, and try once more."
