"""Cells of files that a spreadsheet opens: none of them becomes a formula, none of them changes.

Hides: which beginnings a spreadsheet takes for a formula, full-width ones included.
"""

from __future__ import annotations

import re

# Apostrophes before such a beginning are counted too, so that taking one off is exact.
_STARTS = "[=+\\-@\t\r\n\0\uff1d\uff0b\uff0d\uff20]"
_OPEN = re.compile(f"'*{_STARTS}")
_GUARDED = re.compile(f"'+{_STARTS}")


def guard_cell(text: str) -> str:
    """Write a cell so that no spreadsheet takes it for a formula.

    >>> guard_cell("=1+1"), guard_cell("'=1"), guard_cell("O'Hara")
    ("'=1+1", "''=1", "O'Hara")
    """
    return f"'{text}" if _OPEN.match(text) else text


def unguard_cell(text: str) -> str:
    """Take off the apostrophe that ``guard_cell`` has put before a cell.

    >>> unguard_cell("'=1+1"), unguard_cell("''=1"), unguard_cell("'abc")
    ('=1+1', "'=1", "'abc")
    """
    return text[1:] if _GUARDED.match(text) else text
