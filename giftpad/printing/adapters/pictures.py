"""Finished pages as pictures and as text, and the codes that a camera would read in them.

pdfium draws and zxing reads; neither shares code with what wrote the file.

Hides: both libraries, their units, and that pdfium serves one thread at a time.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_float
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import pypdfium2 as pdfium  # type: ignore[import-untyped]  # it ships no types
import pypdfium2.raw as pdfium_c  # type: ignore[import-untyped]  # it ships no types
import zxingcpp

POINTS_PER_MM: Final = 72 / 25.4
# The whole page as a phone sees it from a little way off; two and a half dots a module suffice.
PAGE_DPI: Final = 110
CLOSE_DPI: Final = 300
Area = tuple[float, ...]  # left, top, width and height, in mm from the top left
_TYPED: Final = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")
_COVER_PAPER: Final = (232, 232, 232)
_COVER_INK: Final = (196, 196, 196)
_COVER_STEP_DOTS: Final = 6
_COVER_MORE_DOTS: Final = 1
_PDFIUM = threading.Lock()
# Not the whole QR family: once in some thousand codes a Micro QR is seen inside a real one.
_QR_ONLY: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCodeModel2])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReadCode:
    """A code that was read, and where its middle lies on the page, in mm from the top left."""

    text: str
    x_mm: float
    y_mm: float


class PageReader:
    """One page, drawn once as a whole; a part of it may be looked at again more closely."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._width_mm = page.get_width() / POINTS_PER_MM
        self._height_mm = page.get_height() / POINTS_PER_MM
        self._text = page.get_textpage()

    def codes(self, areas: Sequence[Area] = ()) -> list[ReadCode]:
        """Read every code on the page, or in these areas of it."""
        found = []
        for area in areas or [(0.0, 0.0, self._width_mm, self._height_mm)]:
            found += self._codes(*area, dpi=PAGE_DPI)
        return found

    def build(self) -> tuple[object, ...]:
        """Tell what the page is put together of: its things, and the parts of forms among them.

        Kind and place of each thing, of words the kind alone; of the parts of a form their kinds.
        A code that is added to a page, in any way but as words, makes this another.
        """
        count = pdfium_c.FPDFPage_CountObjects(self._page)
        return _Builds().of(
            pdfium_c.FPDFPage_GetObject(self._page, index) for index in range(count)
        )

    def codes_in(self, left: float, top: float, width: float, height: float) -> list[ReadCode]:
        """Read every code in a part of the page, given in mm, as from close by."""
        return self._codes(left, top, width, height, dpi=CLOSE_DPI)

    def text_in(self, left: float, top: float, width: float, height: float) -> str:
        """Read the text layer in a part of the page, given in mm."""
        text = self._text.get_text_bounded(
            left=left * POINTS_PER_MM,
            right=(left + width) * POINTS_PER_MM,
            top=(self._height_mm - top) * POINTS_PER_MM,
            bottom=(self._height_mm - top - height) * POINTS_PER_MM,
        )
        return str(text)

    def _codes(
        self, left: float, top: float, width: float, height: float, *, dpi: int
    ) -> list[ReadCode]:
        right, bottom = self._width_mm - left - width, self._height_mm - top - height
        margins = tuple(max(0.0, edge * POINTS_PER_MM) for edge in (left, bottom, right, top))
        drawn = self._page.render(scale=dpi / 72, grayscale=True, crop=margins)
        dots_per_mm = dpi / 25.4
        found = []
        for code in zxingcpp.read_barcodes(
            drawn.to_pil(),
            formats=_QR_ONLY,
            try_rotate=False,
            try_downscale=False,
            try_invert=False,
            text_mode=zxingcpp.TextMode.Plain,
        ):
            place = code.position
            x = (place.top_left.x + place.bottom_right.x) / 2 / dots_per_mm
            y = (place.top_left.y + place.bottom_right.y) / 2 / dots_per_mm
            found.append(ReadCode(text=code.text, x_mm=left + x, y_mm=top + y))
        return found


class _Builds:
    """Tells what things of a page are put together of; it reads their places into one buffer."""

    def __init__(self) -> None:
        self._edges = [c_float() for _ in range(4)]
        self._edges_at = [byref(edge) for edge in self._edges]

    def of(self, things: Iterable[Any]) -> tuple[object, ...]:
        """Return the kind of each and its place to a tenth of a point, but for text."""
        built: list[object] = []
        for thing in things:
            kind = pdfium_c.FPDFPageObj_GetType(thing)
            built.append(kind)
            if kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
                continue
            pdfium_c.FPDFPageObj_GetBounds(thing, *self._edges_at)
            built += [int(edge.value * 10) for edge in self._edges]
            if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
                built.append(self._parts(thing))
        return tuple(built)

    def _parts(self, form: Any) -> tuple[object, ...]:
        """Return the kinds of a form's things; of the forms among them their kinds as well."""
        kinds: list[object] = []
        for index in range(pdfium_c.FPDFFormObj_CountObjects(form)):
            part = pdfium_c.FPDFFormObj_GetObject(form, index)
            kind = pdfium_c.FPDFPageObj_GetType(part)
            kinds.append(kind)
            if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
                kinds.append(self._parts(part))
        return tuple(kinds)


@contextmanager
def opened(pdf: Path | BinaryIO) -> Iterator[pdfium.PdfDocument]:
    """Open a file for reading its pages."""
    with _PDFIUM:
        document = pdfium.PdfDocument(pdf)
    try:
        yield document
    finally:
        with _PDFIUM:
            document.close()


@contextmanager
def read_page(document: pdfium.PdfDocument, index: int) -> Iterator[PageReader]:
    """Draw one page and read from it, while no other thread uses pdfium."""
    with _PDFIUM:
        page = document[index]
        try:
            yield PageReader(page)
        finally:
            page.close()


def covered_png(
    pdf: bytes, *, page: int, dpi: int, colour_count: int, areas: Iterable[Area]
) -> bytes:
    """Draw one page, numbered from 1, with these areas and every code that shows covered.

    What the picture and the text layer show is covered too, wherever it stands: the areas may be
    those of a template that has changed since the file was made.
    """
    with opened(io.BytesIO(pdf)) as document, _PDFIUM:
        drawn = document[page - 1]
        picture = drawn.render(scale=dpi / 72).to_pil().convert("RGB")
        found = [*areas, *_typed_areas(drawn)]
        drawn.close()
    for left, top, width, height in found:
        edges = (left, top, left + width, top + height)
        _cover(picture, tuple(edge * dpi / 25.4 for edge in edges))
    for code in zxingcpp.read_barcodes(picture):
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        across, down = [spot.x for spot in corners], [spot.y for spot in corners]
        _cover(picture, (min(across), min(down), max(across), max(down)))
    assert not zxingcpp.read_barcodes(picture), "a picture that shows a code leaves nobody"
    out = io.BytesIO()
    picture.quantize(colour_count).save(out, "PNG", optimize=True)
    return out.getvalue()


def _typed_areas(page: Any) -> list[Area]:
    """Return where the text layer shows what looks like a typed code, in mm from the top left."""
    text_page = page.get_textpage()
    shown = [
        (symbol, index)
        for index, symbol in enumerate(text_page.get_text_range())
        if not symbol.isspace()
    ]
    height = page.get_height()
    areas = []
    for match in _TYPED.finditer("".join(symbol for symbol, _ in shown)):
        boxes = [text_page.get_charbox(index) for _, index in shown[match.start() : match.end()]]
        left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
        bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
        edges = (left, height - top, right - left, top - bottom)
        areas.append(tuple(edge / POINTS_PER_MM for edge in edges))
    text_page.close()
    return areas


def _cover(picture: Any, edges: tuple[float, ...]) -> None:
    """Paint stripes over a part of a picture, given by its edges in dots."""
    left, top, right, bottom = (
        round(edge) + (_COVER_MORE_DOTS if number > 1 else -_COVER_MORE_DOTS)
        for number, edge in enumerate(edges)
    )
    picture.paste(_COVER_PAPER, (left, top, right, bottom))
    for line in range(top, bottom, _COVER_STEP_DOTS):
        picture.paste(_COVER_INK, (left, line, right, min(line + 1, bottom)))


def page_png(pdf: bytes, *, page: int, dpi: int, colour_count: int) -> bytes:
    """Draw one page, numbered from 1, as a PNG of few colours."""
    with opened(io.BytesIO(pdf)) as document, _PDFIUM:
        picture = document[page - 1].render(scale=dpi / 72).to_pil()
    out = io.BytesIO()
    picture.quantize(colour_count).save(out, "PNG", optimize=True)
    return out.getvalue()
