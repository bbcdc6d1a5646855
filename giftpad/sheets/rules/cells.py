"""Cleaning and judging one cell, wherever it comes from: a form, a file, a pack.

Hides: widths, spellings of hyphens, letters that cannot be shown.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from giftpad.kernel.codes import DASHES
from giftpad.kernel.i18n import mark
from giftpad.kernel.prefectures import PREFECTURES

TEXT_LENGTH_MAX = 200
YEAR_MIN = 1900
"""Before anything of ours; a slip of the keyboard, and too early for some zones' arithmetic."""

_PHONE = re.compile(r"0\d{1,4}-?\d{1,4}-?\d{3,4}")
_PHONE_DIGITS = (10, 11)
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}"
)
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fb\u30fc0-9A-Za-z &'().,-]+")
_YES = frozenset({"yes", "true", "1", "はい", "可", "\u25cb", "\u25ef"})
_NO = frozenset({"no", "false", "0", "いいえ", "不可", "\u00d7"})

CELL_SENTENCES: dict[str, tuple[str, str]] = {
    "required": (mark("This is empty."), mark("Write a value.")),
    "too_long": (
        mark("This has {length} characters."),
        mark("Shorten it to {most} characters."),
    ),
    "character": (
        mark("This holds a character that cannot be shown, at place {place}."),
        mark("Remove the character or write it anew."),
    ),
    "kana": (mark("{value} is not in kana."), mark("Write the reading in katakana.")),
    "phone": (
        mark("{value} is no telephone number."),
        mark("Write digits and hyphens, as 00-0000-0000."),
    ),
    "email": (mark("{value} is no e-mail address."), mark("Write it as name@shop.example.")),
    "prefecture": (mark("{value} is no prefecture."), mark("Write its full name, as 東京都.")),
    "accepting": (mark("{value} is neither yes nor no."), mark("Write yes or no.")),
    "date": (mark("{value} is no date."), mark("Write year, month and day, as 2027-03-31.")),
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
    "whole": (
        mark("{value} is no whole number."),
        mark("Write a whole number from 0 to {most}."),
    ),
}
"""What can be wrong with a cell of any table, in words: what is wrong, and how to right it."""


class FieldFault(Exception):
    """A value that cannot be taken.

    ``code`` names a sentence of ``CELL_SENTENCES``, or of the domain whose field it is.
    """

    def __init__(self, *, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    """One thing wrong with one cell of one line; an empty ``column`` means the whole line."""

    line: int
    column: str
    code: str
    params: dict[str, object] = field(default_factory=dict)


def clean_text(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Trim a text and refuse what cannot be shown; its letters stay as they were written.

    Names are not normalised: that would turn some characters of people's and shops' names into
    their relatives.
    Raises: FieldFault.
    """
    words = " ".join(text.replace("\u3000", " ").split())
    if not words.isprintable():
        place = next(i for i, character in enumerate(words, 1) if not character.isprintable())
        raise FieldFault(code="character", place=place)
    if len(words) > length_max:
        raise FieldFault(code="too_long", length=len(words), most=length_max)
    return words


def clean_folded(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Trim a text and make full-width letters and half-width kana usual ones.

    Raises: FieldFault.
    """
    return clean_text(unicodedata.normalize("NFKC", text), length_max)


def clean_name(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Clean a text that must not be empty.

    Raises: FieldFault.
    """
    value = clean_text(text, length_max)
    if not value:
        raise FieldFault(code="required")
    return value


def clean_kana(text: str) -> str:
    """Clean a reading; it may be empty.

    Raises: FieldFault.
    """
    value = clean_folded(text)
    if value and not _KANA.fullmatch(value):
        raise FieldFault(code="kana", value=value)
    return value


def clean_phone(text: str) -> str:
    """Clean a telephone number of Japan, with any kind of hyphen or none; it may be empty.

    Raises: FieldFault.
    """
    value = "".join("-" if c in DASHES else c for c in clean_folded(text))
    if value and not (_PHONE.fullmatch(value) and len(value.replace("-", "")) in _PHONE_DIGITS):
        raise FieldFault(code="phone", value=value)
    return value


def clean_email(text: str) -> str:
    """Clean an e-mail address; it may be empty.

    Raises: FieldFault.
    """
    value = clean_folded(text)
    if value and not _EMAIL.fullmatch(value):
        raise FieldFault(code="email", value=value)
    return value


def clean_prefecture(text: str) -> str:
    """Clean the full name of a prefecture; it may be empty.

    Raises: FieldFault.
    """
    value = clean_folded(text)
    if value and value not in PREFECTURES:
        raise FieldFault(code="prefecture", value=value)
    return value


def clean_truth(text: str) -> bool:
    """Read yes or no; empty means yes.

    Raises: FieldFault.
    """
    value = clean_folded(text).lower()
    if value not in _YES | _NO | {""}:
        raise FieldFault(code="accepting", value=value)
    return value not in _NO


def clean_whole(text: str, *, most: int) -> int | None:
    """Read a whole number from 0 to ``most``, with or without commas; it may be empty.

    Raises: FieldFault.
    """
    value = clean_folded(text).replace(",", "")
    if not value:
        return None
    is_number = value.isascii() and value.isdigit() and len(value) <= len(str(most))
    if not is_number or int(value) > most:
        raise FieldFault(code="whole", value=value, most=most)
    return int(value)


def clean_day(text: str) -> date | None:
    """Read a date as 2027-03-31 or 2027/3/31; it may be empty.

    Raises: FieldFault.
    """
    value = clean_folded(text)
    if not value:
        return None
    parts = _DATE.fullmatch(value)
    try:
        day = date(int(parts[1]), int(parts[2]), int(parts[3])) if parts else None
    except ValueError:
        day = None
    if day is None or day.year < YEAR_MIN:
        raise FieldFault(code="date", value=value)
    return day
