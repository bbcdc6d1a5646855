"""A workbook that is written row by row while it is sent; no table is ever held whole here.

Hides: the parts of a workbook, how dates are counted, which characters XML cannot hold.
Source: ECMA-376, Office Open XML, part 1, 18.3 (worksheets) and 18.8 (styles).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from xml.sax.saxutils import escape

from giftpad.kernel.zips import stream_zip
from giftpad.sheets.rules.writing import writable_text

ROWS_A_PIECE = 200
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PLAIN, _BOLD, _DAY = 1, 2, 3
"""Styles by their place below: text, text of the heading, day."""
_DAY_ZERO = date(1899, 12, 30)
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/relationships/officeDocument"'
    ' Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/relationships/worksheet"'
    ' Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/relationships/styles" Target="styles.xml"/>'
    "</Relationships>",
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/></font><font><b/><sz val="11"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf/><xf numFmtId="49" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>",
}


def stream_xlsx(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Write a table as a workbook of one sheet, piece by piece, whose header stays in sight.

    As ``write_xlsx``: texts are texts, also where they look like numbers or formulas; whole
    numbers and days are such.
    """
    files = [(name, iter([(_XML + part).encode()])) for name, part in _PARTS.items()]
    yield from stream_zip([*files, ("xl/worksheets/sheet1.xml", _sheet(header, rows))])


def _sheet(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    views = f'<sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
    head = "".join(_text(name, _BOLD) for name in header)
    yield f'{_XML}<worksheet xmlns="{_MAIN}">{views}<sheetData><row>{head}</row>'.encode()
    piece: list[str] = []
    for row in rows:
        piece.append(f"<row>{''.join(map(_cell, row))}</row>")
        if len(piece) == ROWS_A_PIECE:
            yield "".join(piece).encode()
            piece.clear()
    yield ("".join(piece) + "</sheetData></worksheet>").encode()


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"<c><v>{int(value)}</v></c>"
    if type(value) is date:
        return f'<c s="{_DAY}"><v>{(value - _DAY_ZERO).days}</v></c>'
    return _text(value, _PLAIN)


def _text(value: object, style: int) -> str:
    text = escape(writable_text(value))
    return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{text}</t></is></c>'
