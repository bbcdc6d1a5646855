"""Reading a CSV file of shops line by line, in any of its spellings, with the place of each fault.

Hides: encodings, quoting, header names in two languages.  It reads a stream and holds one line
at a time, and one number a line to find repeats.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from giftpad.kernel.cells import unguard_cell
from giftpad.shops.rules.facts import LineFault
from giftpad.shops.rules.fields import CLEANERS, FieldFault

LINES_MAX = 100_000
VALUE_SHOWN_MAX = 60
HEADER_FAULTS_MAX = 100
_BLOCK_SIZE = 1 << 20

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


def detect_encoding(stream: IO[bytes]) -> str | LineFault:
    """Return "utf-8-sig" or "cp932", whichever the whole stream is, strictly; else the fault."""
    stream.seek(0)
    # A mark at the beginning says UTF-8; without one, whichever fits to the last byte.
    is_marked = stream.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    furthest = 0
    for encoding in ("utf-8",) if is_marked else ("utf-8", "cp932"):
        stream.seek(0)
        offset = _first_fault(stream, encoding)
        if offset is None:
            return "utf-8-sig" if encoding == "utf-8" else encoding
        furthest = max(furthest, offset)
    return LineFault(
        line=_line_at(stream, furthest), column="", code="encoding", params={"byte": furthest + 1}
    )


def _first_fault(stream: IO[bytes], encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    passed = 0
    while block := stream.read(_BLOCK_SIZE):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(block)
            if (place := block.find(0)) >= 0:  # UTF-16, which would pass for Shift_JIS
                return passed + place
        except UnicodeDecodeError as error:
            return passed - pending + error.start
        passed += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return passed - len(decoder.getstate()[0])
    return None


def _line_at(stream: IO[bytes], offset: int) -> int:
    stream.seek(0)
    line, left = 1, offset
    while left > 0 and (block := stream.read(min(_BLOCK_SIZE, left))):
        line += block.count(b"\n")
        left -= len(block)
    return line


def read_sheet(stream: IO[bytes]) -> Iterator[SheetLine | LineFault]:
    """Read a file of shops: each line comes as its values or as its faults, in order."""
    encoding = detect_encoding(stream)
    if isinstance(encoding, LineFault):
        yield encoding
        return
    stream.seek(0)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        yield from _read_lines(csv.reader(text, strict=True))
    finally:
        text.detach()


def _read_lines(reader: Any) -> Iterator[SheetLine | LineFault]:
    header: list[str] | None = None
    first_lines: dict[str, int] = {}
    count = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            yield LineFault(line=line, column="", code="quotes")
            return
        if cells is None:
            break
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
