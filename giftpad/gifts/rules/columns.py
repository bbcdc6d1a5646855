"""What the columns of a file mean: told by their names, or by what somebody said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from giftpad import sheets

UNUSED = ""
"""What a column is for that nobody wants."""


def guess_fields(
    header: Sequence[str], columns: sheets.Columns, remembered: Mapping[str, str]
) -> tuple[tuple[str, ...], bool]:
    """Return the field of each column, empty where it has none, and whether all were known.

    >>> guess_fields(("氏名", "E-mail", "部署"), {"name": ("氏名",), "mail": ("email",)}, {})
    (('name', 'mail', ''), False)
    """
    matched = sheets.match_columns(header, columns, remembered)
    by_place = {place: field for field, place in matched.places.items()}
    fields = tuple(by_place.get(place, UNUSED) for place in range(len(header)))
    return fields, not (matched.unmatched or matched.repeated)


def remember_fields(header: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Return what is to be remembered of a file: field by name of the column, unused ones too."""
    return {name: field for name, field in zip(header, fields, strict=False) if name}


def take_fields(cells: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """Return the cells of one row by field.

    >>> take_fields(("山田", "x", "a@b.jp"), ("name", "", "mail"))
    {'name': '山田', 'mail': 'a@b.jp'}
    """
    return {field: cell for field, cell in zip(fields, cells, strict=False) if field}
