"""Reading a CSV file of shops line by line, with the place of each fault.

Hides: header names in two languages.  It reads a stream and holds one line at a time, and one
number a line to find repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from giftpad import sheets
from giftpad.kernel.cells import unguard_cell
from giftpad.sheets import FieldFault, LineFault
from giftpad.shops.rules.fields import CLEANERS

LINES_MAX = 100_000
VALUE_SHOWN_MAX = 60
HEADER_FAULTS_MAX = 100

COLUMNS: dict[str, str] = {
    "number": "加盟店番号",
    "name": "店舗名",
    "kana": "フリガナ",
    "area": "地区",
    "groups": "区分",
    "accepting": "取扱",
    "address": "住所",
    "phone": "電話番号",
    "floor_area_m2": "売場面積",
    "hq_prefecture": "本店所在地",
    "starts_on": "適用開始日",
    "contact_name": "担当者名",
    "contact_phone": "担当者電話番号",
    "contact_email": "担当者メール",
}
"""The columns by their English name, and what each is called in Japanese."""

REQUIRED = ("number", "name", "area")
_FIELDS = {name.casefold(): name for name in COLUMNS} | {ja: en for en, ja in COLUMNS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One good line: the values of the columns that the file has, by field."""

    line: int
    values: dict[str, Any]


def column_names(locale: str) -> dict[str, str]:
    """Return the columns of a file of shops, and how each is called for a reader of a language."""
    return dict(COLUMNS) if locale == "ja" else {name: name for name in COLUMNS}


def field_of(header: str) -> str:
    """Return the field that a column of this name holds; empty if there is none."""
    return _FIELDS.get(header.strip().casefold(), "")


def read_sheet(stream: IO[bytes]) -> Iterator[SheetLine | LineFault]:
    """Read a file of shops: each line comes as its values or as its faults, in order."""
    try:
        yield from _read_lines(sheets.read_lines(stream))
    except sheets.EncodingUnknown as error:
        line, byte = error.params["line"], error.params["byte"]
        assert isinstance(line, int)
        yield LineFault(line=line, column="", code="encoding", params={"byte": byte})
    except sheets.QuotesUnmatched as error:
        line = error.params["line"]
        assert isinstance(line, int)
        yield LineFault(line=line, column="", code="quotes")


def _read_lines(lines: Iterator[tuple[int, list[str]]]) -> Iterator[SheetLine | LineFault]:
    header: list[str] | None = None
    first_lines: dict[str, int] = {}
    count = 0
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header, faults = _read_header(cells, line)
            yield from faults
            if faults:
                return
            continue
        count += 1
        if count > LINES_MAX:
            yield LineFault(line=line, column="", code="too_many", params={"most": LINES_MAX})
            return
        yield from _read_line(header, cells, line, first_lines=first_lines)
    if count == 0:
        yield LineFault(line=1, column="", code="empty_file")


def _read_header(cells: list[str], line: int) -> tuple[list[str], list[LineFault]]:
    names = [cell.strip() for cell in cells]
    fields = [field_of(name) for name in names]
    is_japanese = any(not name.isascii() for name in names)
    faults: list[LineFault] = []

    def fault(column: str, code: str, **params: object) -> None:
        shown = {k: str(v)[: VALUE_SHOWN_MAX * 10] for k, v in params.items()}
        faults.append(LineFault(line=line, column=column, code=code, params=dict(shown)))

    seen: set[str] = set()
    for name, known in zip(names, fields, strict=True):
        if len(faults) >= HEADER_FAULTS_MAX:  # a file of nothing but columns is no file of shops
            return fields, faults
        if not known:
            fault(
                name[:VALUE_SHOWN_MAX],
                "header_unknown",
                value=name[:VALUE_SHOWN_MAX],
                known=", ".join(column_names("ja" if is_japanese else "en").values()),
            )
        elif known in seen:
            fault(name, "header_twice", value=name)
        seen.add(known)
    for required in REQUIRED:
        if required not in fields:
            fault(required, "header_missing", value=f"{required} / {COLUMNS[required]}")
    return fields, faults


def _read_line(
    header: list[str], cells: list[str], line: int, *, first_lines: dict[str, int]
) -> Iterator[SheetLine | LineFault]:
    if len(cells) != len(header):
        params: dict[str, object] = {"found": len(cells), "wanted": len(header)}
        yield LineFault(line=line, column="", code="cells", params=params)
        return
    values: dict[str, Any] = {}
    is_good = True
    for name, cell in zip(header, cells, strict=True):
        try:
            values[name] = CLEANERS[name](unguard_cell(cell))
        except FieldFault as error:
            is_good = False
            yield LineFault(line=line, column=name, code=error.code, params=_shown(error.params))
    number = values.get("number")
    if number is not None and number in first_lines:
        params = {"value": number, "first": first_lines[number]}
        yield LineFault(line=line, column="number", code="duplicate", params=params)
        return
    if number is not None:
        first_lines[number] = line
    if is_good:
        yield SheetLine(line=line, values=values)


def _shown(params: dict[str, object]) -> dict[str, object]:
    return {k: v[:VALUE_SHOWN_MAX] if isinstance(v, str) else v for k, v in params.items()}
