"""What can be wrong with a value or a line, in words: what is wrong, and how to right it."""

from __future__ import annotations

from giftpad.kernel.i18n import mark

SENTENCES: dict[str, tuple[str, str]] = {
    "required": (mark("This is empty."), mark("Write a value.")),
    "too_long": (
        mark("This has {length} characters."),
        mark("Shorten it to {most} characters."),
    ),
    "character": (
        mark("This holds a character that cannot be shown, at place {place}."),
        mark("Remove the character or write it anew."),
    ),
    "number": (
        mark("{value} is no shop number."),
        mark("Write 1 to 20 letters, digits and hyphens."),
    ),
    "kana": (mark("{value} is not in kana."), mark("Write the reading in katakana.")),
    "phone": (
        mark("{value} is no telephone number."),
        mark("Write digits and hyphens, as 00-0000-0000."),
    ),
    "email": (mark("{value} is no e-mail address."), mark("Write it as name@shop.example.")),
    "floor_area": (
        mark("{value} is no floor area."),
        mark("Write whole square metres, from 0 to 1000000."),
    ),
    "prefecture": (mark("{value} is no prefecture."), mark("Write its full name, as 東京都.")),
    "accepting": (mark("{value} is neither yes nor no."), mark("Write yes or no.")),
    "date": (mark("{value} is no date."), mark("Write year, month and day, as 2027-03-31.")),
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
    "cells": (
        mark("This line has {found} cells and the header has {wanted}."),
        mark("Put a text that holds a comma in quotation marks."),
    ),
    "quotes": (
        mark("The quotation marks of this line do not match."),
        mark('Close every text with ", and write "" for a quotation mark inside one.'),
    ),
    "encoding": (
        mark("This line is neither UTF-8 nor Shift_JIS, at byte {byte} of the file."),
        mark("Save the file again as CSV (UTF-8) or CSV (Shift_JIS)."),
    ),
    "header_unknown": (
        mark("There is no column called {value}."),
        mark("Use these columns: {known}."),
    ),
    "header_missing": (mark("The column {value} is missing."), mark("Add it to the first line.")),
    "header_twice": (mark("The column {value} stands here twice."), mark("Remove one of them.")),
    "empty_file": (
        mark("The file has no lines below its header."),
        mark("Write one shop in each line."),
    ),
    "too_many": (
        mark("The file has more than {most} shops."),
        mark("Split it into several files."),
    ),
}
