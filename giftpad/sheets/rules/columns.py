"""Which column of a table holds what: by its name in any spelling, or as it was chosen before."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Columns = Mapping[str, Sequence[str]]
"""The fields that a table may have, and every name that a column of each may bear."""

_BETWEEN = re.compile(r"[\s_\-・./()*※:]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Where each field stands: ``places`` by field; ``unmatched`` are columns of no field.

    ``repeated`` are columns of a field that an earlier column holds already.
    """

    places: Mapping[str, int]
    unmatched: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()

    def take(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the cells of a row by field."""
        return {field: cells[place] for field, place in self.places.items() if place < len(cells)}


def fold_name(name: str) -> str:
    """Return the name of a column without its width, case, spaces and punctuation.

    >>> fold_name("E-mail"), fold_name("Product code *"), fold_name("メール・任意")
    ('email', 'productcode', 'メール任意')
    """
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", name).casefold())


def match_columns(
    header: Sequence[str], columns: Columns, remembered: Mapping[str, str] | None = None
) -> Matched:
    """Find the fields of a table by the names of its columns.

    ``remembered`` says which field a column of some name was for the last time; it goes first,
    and a column that it names with an empty field is passed over.
    """
    chosen = {fold_name(name): field for name, field in (remembered or {}).items()}
    known = {fold_name(name): field for field, names in columns.items() for name in (field, *names)}
    places: dict[str, int] = {}
    unmatched: list[str] = []
    repeated: list[str] = []
    for place, name in enumerate(header):
        folded = fold_name(name)
        field = chosen.get(folded, known.get(folded))
        if field is None or (field and field not in columns):
            unmatched.append(name)
        elif field in places:
            repeated.append(name)
        elif field:
            places[field] = place
    return Matched(places=places, unmatched=tuple(unmatched), repeated=tuple(repeated))
