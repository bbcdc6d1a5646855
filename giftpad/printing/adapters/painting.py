"""Painting one element of a layout on a PDF canvas.

The canvas' origin is the cell's top left, y upwards; so everything lies at negative y.

Hides: PDF operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final

from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.pdfgen.textobject import PDFTextObject

from giftpad.printing.adapters.setting import SetLine
from giftpad.printing.rules import colours, layout
from giftpad.printing.rules.matrix import QUIET_MODULES, QrMatrix
from giftpad.printing.rules.patterns import curves

FOLD_DASHES_PT: Final = (3, 2)
FOLD_THICKNESS_PT: Final = 0.4
PATTERNS_KEPT: Final = 64
"""Patterns whose operators are kept: a few per template, at most some tens of kB each."""


def paint_static(
    canvas: Canvas,
    element: layout.Element,
    *,
    accent: str,
    folder: Path,
    pictures: Mapping[str, bytes],
) -> None:
    """Paint an element that holds no text; of a QR code only the white plate."""
    canvas.saveState()
    match element:
        case layout.BoxElement():
            _paint_box(canvas, element, accent)
        case layout.LineElement():
            _set_stroke(canvas, colours.resolve(element.colour, accent))
            canvas.setLineWidth(element.thickness)
            canvas.setDash(element.dashes)
            canvas.line(*_corners(element))
        case layout.FoldElement():
            canvas.setStrokeGray(0)
            canvas.setLineWidth(FOLD_THICKNESS_PT)
            canvas.setDash(list(FOLD_DASHES_PT))
            canvas.line(*_corners(element))
        case layout.PatternElement():
            _paint_pattern(canvas, element, accent)
        case layout.ImageElement():
            _paint_picture(canvas, element, str(folder / element.file))
        case layout.PictureElement():
            if element.name in pictures:
                _paint_picture(canvas, element, ImageReader(BytesIO(pictures[element.name])))
        case layout.QrElement():
            canvas.setFillGray(1)
            canvas.rect(*_box(element), stroke=0, fill=1)
    canvas.restoreState()


def _paint_picture(canvas: Canvas, element: layout.Element, picture: str | ImageReader) -> None:
    left, bottom, width, height = _box(element)
    canvas.drawImage(picture, left, bottom, width, height, mask="auto", preserveAspectRatio=True)


def text_operators(
    canvas: Canvas, lines: Sequence[SetLine], *, colour: colours.Rgb, spacing: float
) -> str:
    """Write what paints lines of type that are already set."""
    writer = canvas.beginText()
    _set_fill(writer, colour)
    writer.setCharSpace(spacing)
    for line in lines:
        writer.setTextOrigin(line.x, line.y)
        for part in line.parts:
            writer.setFont(part.run.font_name, part.size)
            writer.textOut(part.run.text)
    writer.setCharSpace(0)
    return str(writer.getCode())


def module_mm(element: layout.QrElement, matrix: QrMatrix) -> float:
    """Measure the side of one module, quiet zone kept."""
    return min(element.width, element.height) / (matrix.size + 2 * QUIET_MODULES)


def qr_operators(element: layout.QrElement, matrix: QrMatrix, *, as_path: bool) -> str:
    """Write what paints the dark modules: an image mask of one bit each, or one filled path.

    Source: ISO 32000-1, 8.9.6.2 (stencil masks), 8.9.7 (inline images).
    """
    module = module_mm(element, matrix) * mm
    side = module * matrix.size
    left, bottom, width, height = _box(element)
    x, y = left + (width - side) / 2, bottom + (height - side) / 2
    if as_path:
        rectangles = "".join(
            f"{column} {matrix.size - 1 - row} {length} 1 re "
            for column, row, length in matrix.dark_runs()
        )
        return f"q 0 g {module:.5f} 0 0 {module:.5f} {x:.4f} {y:.4f} cm {rectangles}f Q"
    return (
        f"q 0 g {side:.4f} 0 0 {side:.4f} {x:.4f} {y:.4f} cm BI /W {matrix.size} /H {matrix.size} "
        f"/BPC 1 /IM true /D [1 0] /I false /F /AHx ID {matrix.rows.hex()}> EI Q"
    )


def _paint_box(canvas: Canvas, element: layout.BoxElement, accent: str) -> None:
    if element.fill:
        _set_fill(canvas, colours.resolve(element.fill, accent))
    if element.stroke:
        _set_stroke(canvas, colours.resolve(element.stroke, accent))
        canvas.setLineWidth(element.thickness)
    canvas.roundRect(
        *_box(element),
        element.radius * mm,
        stroke=int(element.stroke is not None),
        fill=int(element.fill is not None),
    )


def _paint_pattern(canvas: Canvas, element: layout.PatternElement, accent: str) -> None:
    left, bottom, width, height = _box(element)
    clip = canvas.beginPath()
    clip.rect(left, bottom, width, height)
    canvas.clipPath(clip, stroke=0, fill=0)
    canvas.translate(left, bottom + height)
    _set_stroke(canvas, colours.resolve(element.colour, accent))
    canvas.setLineWidth(element.thickness)
    canvas.setLineCap(1)
    canvas.addLiteral(_pattern_operators(element))


@lru_cache(maxsize=PATTERNS_KEPT)
def _pattern_operators(element: layout.PatternElement) -> str:
    """Write what strokes a figure.

    Its curves are most of what a face costs to draw, and a template has the same ones in each file.
    """
    path = PDFPathObject()
    for curve in curves(element):
        path.moveTo(curve.start[0] * mm, -curve.start[1] * mm)
        for bend in curve.bends:
            path.curveTo(*(part for x, y in bend for part in (x * mm, -y * mm)))
    return f"{path.getCode()} S"


def _box(element: layout.Placed) -> tuple[float, float, float, float]:
    return (
        element.left * mm,
        -(element.top + element.height) * mm,
        element.width * mm,
        element.height * mm,
    )


def _corners(element: layout.Placed) -> tuple[float, float, float, float]:
    return (
        element.left * mm,
        -element.top * mm,
        (element.left + element.width) * mm,
        -(element.top + element.height) * mm,
    )


def fill_operator(colour: colours.Rgb) -> str:
    """Write what sets a fill colour; greys as grey, as ``_set_fill`` does."""
    if colour[0] == colour[1] == colour[2]:
        return f"{colour[0]:.4g} g"
    return " ".join(f"{channel:.4g}" for channel in colour) + " rg"


def _set_fill(target: Canvas | PDFTextObject, colour: colours.Rgb) -> None:
    """Set a fill colour; greys as grey, so that black type is printed with black ink alone."""
    if colour[0] == colour[1] == colour[2]:
        target.setFillGray(colour[0])
    else:
        target.setFillColorRGB(*colour)


def _set_stroke(canvas: Canvas, colour: colours.Rgb) -> None:
    if colour[0] == colour[1] == colour[2]:
        canvas.setStrokeGray(colour[0])
    else:
        canvas.setStrokeColorRGB(*colour)
