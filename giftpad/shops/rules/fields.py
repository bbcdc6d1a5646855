"""Cleaning and judging one value of a shop, wherever it comes from: a form, a file, a pack."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from giftpad.kernel.codes import DASHES
from giftpad.kernel.prefectures import PREFECTURES

NAME_LENGTH_MAX = 80
TEXT_LENGTH_MAX = 200
LABEL_LENGTH_MAX = 40
GROUPS_MAX = 20
FLOOR_AREA_MAX = 1_000_000
YEAR_MIN = 1900
"""Before any shop of ours; a slip of the keyboard, and too early for some zones' arithmetic."""

_NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,18}[0-9A-Za-z])?")
_PHONE = re.compile(r"0\d{1,4}-?\d{1,4}-?\d{3,4}")
_PHONE_DIGITS = (10, 11)
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}"
)
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fb\u30fc0-9A-Za-z &'().,-]+")
_SEPARATORS = re.compile(r"[;、|]")
_YES = frozenset({"yes", "true", "1", "はい", "可", "\u25cb", "\u25ef"})
_NO = frozenset({"no", "false", "0", "いいえ", "不可", "\u00d7"})


class FieldFault(Exception):
    """A value that cannot be taken; ``code`` names a sentence of ``faults.SENTENCES``."""

    def __init__(self, *, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def _plain(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Trim a text and refuse what cannot be shown; its letters stay as they were written.

    Names are not normalised: that would turn some characters of people's and shops' names into
    their relatives.
    """
    words = " ".join(text.replace("\u3000", " ").split())
    if not words.isprintable():
        place = next(i for i, character in enumerate(words, 1) if not character.isprintable())
        raise FieldFault(code="character", place=place)
    if len(words) > length_max:
        raise FieldFault(code="too_long", length=len(words), most=length_max)
    return words


def _folded(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Trim a text and make full-width letters and half-width kana usual ones."""
    return _plain(unicodedata.normalize("NFKC", text), length_max)


def clean_label(text: str) -> str:
    """Clean the name of an area or a group, so that both sides of a comparison look alike."""
    return _folded(text, LABEL_LENGTH_MAX)


def _number(text: str) -> str:
    value = _folded(text)
    if not _NUMBER.fullmatch(value):
        raise FieldFault(code="number" if value else "required", value=value)
    return value.upper()


def _name(text: str) -> str:
    value = _plain(text, NAME_LENGTH_MAX)
    if not value:
        raise FieldFault(code="required")
    return value


def _area(text: str) -> str:
    value = clean_label(text)
    if not value:
        raise FieldFault(code="required")
    return value


def _kana(text: str) -> str:
    value = _folded(text)
    if value and not _KANA.fullmatch(value):
        raise FieldFault(code="kana", value=value)
    return value


def _groups(text: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKC", text)
    labels = [label for part in _SEPARATORS.split(folded) if (label := clean_label(part))]
    return clean_groups(labels)


def clean_groups(labels: list[str]) -> tuple[str, ...]:
    """Clean a list of groups: each once, in alphabetical order."""
    groups = tuple(sorted({label for text in labels if (label := clean_label(text))}))
    if len(groups) > GROUPS_MAX:
        raise FieldFault(code="groups", count=len(groups), most=GROUPS_MAX)
    return groups


def _phone(text: str) -> str:
    value = "".join("-" if c in DASHES else c for c in _folded(text))
    if value and not (_PHONE.fullmatch(value) and len(value.replace("-", "")) in _PHONE_DIGITS):
        raise FieldFault(code="phone", value=value)
    return value


def _email(text: str) -> str:
    value = _folded(text)
    if value and not _EMAIL.fullmatch(value):
        raise FieldFault(code="email", value=value)
    return value


def _floor_area(text: str) -> int | None:
    value = _folded(text).replace(",", "")
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > len(str(FLOOR_AREA_MAX)):
        raise FieldFault(code="floor_area", value=value)
    if int(value) > FLOOR_AREA_MAX:
        raise FieldFault(code="floor_area", value=value)
    return int(value)


def _prefecture(text: str) -> str:
    value = _folded(text)
    if value and value not in PREFECTURES:
        raise FieldFault(code="prefecture", value=value)
    return value


def _accepting(text: str) -> bool:
    value = _folded(text).lower()
    if value not in _YES | _NO | {""}:
        raise FieldFault(code="accepting", value=value)
    return value not in _NO


def _date(text: str) -> date | None:
    value = _folded(text)
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


CLEANERS: dict[str, Callable[[str], Any]] = {
    "number": _number,
    "name": _name,
    "kana": _kana,
    "area": _area,
    "groups": _groups,
    "accepting": _accepting,
    "address": _plain,
    "phone": _phone,
    "floor_area_m2": _floor_area,
    "hq_prefecture": _prefecture,
    "starts_on": _date,
    "contact_name": _plain,
    "contact_phone": _phone,
    "contact_email": _email,
}
"""Every field of a shop and what turns its text into its value, or refuses it."""


def normalise_phone(phone: str) -> str:
    """Return the form of a telephone number that its blind index is made of."""
    return phone.replace("-", "")


def normalise_email(email: str) -> str:
    """Return the form of an e-mail address that its blind index is made of."""
    return email.casefold()
