"""Postcodes and the addresses they stand for: values, and how both are written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

DIGITS = 7
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212\u30fc\u3030\uff70〒]")
_ENUMERATED = re.compile(r"[、〜~]|の次に")
_COUNTED = re.compile(r"[0-9\uff10-\uff19]|の次に")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """What a postcode says: the town may be "", and ``street`` is known of a large office only."""

    postcode: str
    prefecture: str
    city: str
    town: str
    street: str = ""


def normalise_postcode(text: str) -> str | None:
    """Return the seven digits of a postcode, however it was typed; None if it is none.

    >>> normalise_postcode("〒 100-0001")
    '1000001'
    """
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    is_postcode = len(digits) == DIGITS and digits.isascii() and digits.isdecimal()
    return digits if is_postcode else None


def format_postcode(postcode: str) -> str:
    """Write seven digits as they are read.

    >>> format_postcode("1000001")
    '100-0001'
    """
    return f"{postcode[:3]}-{postcode[3:]}"


def town_in(text: str, city: str) -> str:
    """Return the part of a list's entry that belongs into an address.

    Some entries name a range of blocks, or say which house numbers a code is for.

    >>> town_in("小菅村の次に番地がくる場合", "北都留郡小菅村")
    ''
    """
    if not _ENUMERATED.search(text):
        return text
    name = _COUNTED.split(text)[0]
    return "" if _ENUMERATED.search(name) or city.endswith(name) else name
