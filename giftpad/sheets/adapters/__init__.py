"""Workbooks, as a library that is not ours reads them."""

from giftpad.sheets.adapters.workbooks import open_workbook

__all__ = ["open_workbook"]
