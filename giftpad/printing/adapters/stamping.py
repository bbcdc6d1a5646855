"""Writing what differs from item to item: a short line of type, a QR code.

The hot path of printing.  A stamp works out once all that is the same on every item, and then
writes PDF operators itself.  It takes the usual case only: one field, one line, in characters of
one typeface.  To anything else it answers None, and the ordinary way (``setting``, ``painting``)
does it; both make the same picture, which a test compares.

Hides: the operators, and how the PDF writer numbers the characters of a typeface.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from giftpad.printing.adapters import painting
from giftpad.printing.adapters.fonts import drawing_file, main_file, registered
from giftpad.printing.adapters.setting import SLACK_PT, baseline, line_start, sizes
from giftpad.printing.rules import colours, layout
from giftpad.printing.rules.matrix import QrMatrix

_NEWLINE = "\n"


class _OtherFace(Exception):
    """A character that another typeface, or another part of this one, must draw."""


class _Glyphs(dict[str, tuple[float, str]]):
    """For each character of one face its width at 1 pt and how it is written, found when asked."""

    def __init__(self, canvas: Canvas, weight: Any) -> None:
        self._canvas = canvas
        self._weight = weight
        self._file = main_file(weight)
        self._font_name = registered(self._file)
        self._font: Any = pdfmetrics.getFont(self._font_name)

    def __missing__(self, character: str) -> tuple[float, str]:
        if character == _NEWLINE or drawing_file(character, self._weight) != self._file:
            raise _OtherFace
        document: Any = self._canvas._doc  # type: ignore[attr-defined] # noqa: SLF001 - no other way
        ((subset, code),) = self._font.splitString(character, document)
        if subset != 0:
            raise _OtherFace
        written = self._canvas._escape(code)  # type: ignore[attr-defined] # noqa: SLF001 - no other way
        glyph = (pdfmetrics.stringWidth(character, self._font_name, 1), str(written))
        self[character] = glyph
        return glyph

    @cached_property
    def name(self) -> str:
        """What a page calls the face, once something was written in it."""
        document: Any = self._canvas._doc  # type: ignore[attr-defined] # noqa: SLF001 - no other way
        return str(self._font.getSubsetInternalName(0, document))


class LineStamp:
    """Writes one text element of every item."""

    def __init__(self, canvas: Canvas, element: layout.TextElement, *, accent: str) -> None:
        self._element = element
        self._glyphs = _Glyphs(canvas, element.weight)
        self._width_max = element.width * mm + SLACK_PT
        self._colour = painting.fill_operator(colours.resolve(element.colour, accent))
        self._sizes = [(size, baseline(element, size)) for size in sizes(element)]
        self._pieces = layout.pieces(element.text)
        self._is_usual = len(self._pieces) == len("abc") and element.unit_ratio == 1

    def write(self, values: Mapping[str, str]) -> str | None:
        """Write the element with these values; None if that is not a usual case."""
        if not self._is_usual:
            return None
        before, name, after = self._pieces
        value = values.get(name)
        if not value:
            return None
        element = self._element
        try:
            drawn = [self._glyphs[character] for character in f"{before}{value}{after}"]
        except _OtherFace:
            return None
        inked = sum([glyph[0] for glyph in drawn])
        between = element.spacing * (len(drawn) - 1)
        for size, y in self._sizes:
            width = inked * size + between
            if width <= self._width_max:
                words = "".join([glyph[1] for glyph in drawn])
                return (
                    f"BT {self._colour} {element.spacing:.4g} Tc {self._glyphs.name} {size:.4g} Tf "
                    f"1 0 0 1 {line_start(element, width):.4f} {y:.4f} Tm ({words}) Tj ET"
                )
        return None


class QrStamp:
    """Writes one QR element of every item as an image mask."""

    def __init__(self, element: layout.QrElement) -> None:
        self._element = element
        self._size = 0
        self._ends = ("", "")

    def write(self, matrix: QrMatrix) -> str:
        """Write a matrix; between matrices of one size only the modules differ."""
        modules = matrix.rows.hex()
        if matrix.size != self._size:
            whole = painting.qr_operators(self._element, matrix, as_path=False)
            head, _, tail = whole.partition(modules)
            self._size, self._ends = matrix.size, (head, tail)
        return f"{self._ends[0]}{modules}{self._ends[1]}"
