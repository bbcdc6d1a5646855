"""What can be wrong with a value or a line, in words: what is wrong, and how to right it."""

from __future__ import annotations

from giftpad import sheets
from giftpad.kernel.i18n import mark

SENTENCES: dict[str, tuple[str, str]] = {
    **sheets.CELL_SENTENCES,
    "number": (
        mark("{value} is no shop number."),
        mark("Write 1 to 20 letters, digits and hyphens."),
    ),
    "floor_area": (
        mark("{value} is no floor area."),
        mark("Write whole square metres, from 0 to 1000000."),
    ),
    "past_date": (
        mark("{value} is in the past."),
        mark("Write today or a later day, or leave it empty for now."),
    ),
    "groups": (
        mark("There are {count} groups."),
        mark("Keep at most {most}, with a semicolon between them."),
    ),
    "duplicate": (
        mark("The shop number {value} stands in line {first} already."),
        mark("Keep one of the two lines."),
    ),
    "empty_file": (
        mark("The file has no lines below its header."),
        mark("Write one shop in each line."),
    ),
    "too_many": (
        mark("The file has more than {most} shops."),
        mark("Split it into several files."),
    ),
}
