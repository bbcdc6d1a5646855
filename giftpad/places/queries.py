"""Which address a postcode stands for."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from giftpad.places.adapters import find_entries, list_month
from giftpad.places.rules import Address, normalise_postcode


def find_addresses(postcode: str) -> tuple[Address, ...]:
    """Return the addresses that a postcode stands for, however it was typed.

    Most stand for one; a few hundred for several, each once; () if it is none or not in use.
    """
    digits = normalise_postcode(postcode)
    return _find(digits) if digits is not None else ()


@lru_cache(maxsize=1000)
def _find(digits: str) -> tuple[Address, ...]:
    return tuple(dict.fromkeys(find_entries(digits)))


def data_month() -> date:
    """Return the first day of the month that the list of postcodes is of."""
    return list_month()
