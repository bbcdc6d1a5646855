"""Whole numbers as people type them; ``frontend/ts/shop/pad.ts`` reads amounts by the same rule."""

from __future__ import annotations

import re
import unicodedata

DIGITS_MAX = 20
_BESIDE = re.compile(r"[\u5186\u00a5\\\s]")
"""What people write beside a number, after NFKC: blanks, the signs of the yen."""
_WHOLE = re.compile(r"-?([0-9]{1,3}([,\u3001][0-9]{3})+|[0-9]+)")
"""Digits, or groups of three with separators between: 1,5 is not fifteen."""


def read_whole(text: str, *, counted_in: str = "") -> int | None:
    """Return the whole number that somebody typed, or None if it is none.

    ``counted_in`` is a word that people write after it, and that is forgiven.

    >>> read_whole("\uff11,200\u5186")
    1200
    """
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix(counted_in)
    plain = _BESIDE.sub("", plain)
    if not _WHOLE.fullmatch(plain):
        return None
    digits = re.sub(r"[,\u3001]", "", plain)
    return int(digits) if len(digits) <= DIGITS_MAX else 10**DIGITS_MAX
