"""Cleaning and judging one value of a shop, wherever it comes from: a form, a file, a pack."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from giftpad import sheets

NAME_LENGTH_MAX = 80
LABEL_LENGTH_MAX = 40
GROUPS_MAX = 20
FLOOR_AREA_MAX = 1_000_000
_NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]{0,18}[0-9A-Za-z])?")
_SEPARATORS = re.compile(r"[;、|]")


def clean_label(text: str) -> str:
    """Clean the name of an area or a group, so that both sides of a comparison look alike."""
    return sheets.clean_folded(text, LABEL_LENGTH_MAX)


def _number(text: str) -> str:
    value = sheets.clean_folded(text)
    if not _NUMBER.fullmatch(value):
        raise sheets.FieldFault(code="number" if value else "required", value=value)
    return value.upper()


def _name(text: str) -> str:
    return sheets.clean_name(text, NAME_LENGTH_MAX)


def _area(text: str) -> str:
    value = clean_label(text)
    if not value:
        raise sheets.FieldFault(code="required")
    return value


def _groups(text: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFKC", text)
    labels = [label for part in _SEPARATORS.split(folded) if (label := clean_label(part))]
    return clean_groups(labels)


def clean_groups(labels: list[str]) -> tuple[str, ...]:
    """Clean a list of groups: each once, in alphabetical order."""
    groups = tuple(sorted({label for text in labels if (label := clean_label(text))}))
    if len(groups) > GROUPS_MAX:
        raise sheets.FieldFault(code="groups", count=len(groups), most=GROUPS_MAX)
    return groups


def _floor_area(text: str) -> int | None:
    value = sheets.clean_folded(text).replace(",", "")
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > len(str(FLOOR_AREA_MAX)):
        raise sheets.FieldFault(code="floor_area", value=value)
    if int(value) > FLOOR_AREA_MAX:
        raise sheets.FieldFault(code="floor_area", value=value)
    return int(value)


CLEANERS: dict[str, Callable[[str], Any]] = {
    "number": _number,
    "name": _name,
    "kana": sheets.clean_kana,
    "area": _area,
    "groups": _groups,
    "accepting": sheets.clean_truth,
    "address": sheets.clean_text,
    "phone": sheets.clean_phone,
    "floor_area_m2": _floor_area,
    "hq_prefecture": sheets.clean_prefecture,
    "starts_on": sheets.clean_day,
    "contact_name": sheets.clean_text,
    "contact_phone": sheets.clean_phone,
    "contact_email": sheets.clean_email,
}
"""Every field of a shop and what turns its text into its value, or refuses it."""


def normalise_phone(phone: str) -> str:
    """Return the form of a telephone number that its blind index is made of."""
    return phone.replace("-", "")


def normalise_email(email: str) -> str:
    """Return the form of an e-mail address that its blind index is made of."""
    return email.casefold()
