"""Setting type: the largest allowed size at which a text fits its box, line by line.

Hides: shrinking, line breaks, alignment, smaller units beside figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics

from giftpad.printing.adapters.fonts import ASCENT, DESCENT, Run, runs
from giftpad.printing.rules.layout import TextElement
from giftpad.printing.rules.lines import wrapped

SHRINK_STEP_PT: Final = 0.25
# Rounding must not refuse a text that was measured to fit.
SLACK_PT: Final = 0.01
_FIGURES = re.compile(r"[0-9.,]+|[^0-9.,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedRun:
    """A run of one face at one size."""

    run: Run
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLine:
    """A line ready to be drawn: its origin in points from the cell's top left, y upwards."""

    x: float
    y: float
    parts: tuple[SizedRun, ...]


def set_text(element: TextElement, text: str) -> tuple[SetLine, ...] | None:
    """Set a text in its box; None when it does not fit at the smallest size either.

    Raises: MissingGlyph.
    """
    for size in sizes(element):
        lines = _broken(element, text, size)
        if lines is not None:
            return _placed(element, lines, size)
    return None


def sizes(element: TextElement) -> Iterator[float]:
    """Count down the sizes at which an element's first line is not too high for its box."""
    smallest = element.size_min or element.size
    size = element.size
    while size >= smallest - SLACK_PT:
        if _block_height(element, 1, size) <= element.height * mm:
            yield size
        size -= SHRINK_STEP_PT


def _broken(element: TextElement, text: str, size: float) -> list[str] | None:
    width = element.width * mm + SLACK_PT

    def measure(line: str) -> float:
        return _line_width(element, _parts(element, line, size), len(line))

    if element.lines == 1 and "\n" not in text:
        lines: list[str] | None = [text] if measure(text) <= width else None
    else:
        lines = wrapped(text, width, measure)
    if lines is None or len(lines) > element.lines:
        return None
    return lines if _block_height(element, len(lines), size) <= element.height * mm else None


def baseline(element: TextElement, size: float, line_count: int = 1) -> float:
    """Return where the first of so many lines stands, in points, the cell's top being 0."""
    free = element.height * mm - _block_height(element, line_count, size)
    above = {"top": 0.0, "middle": free / 2, "bottom": free}[element.valign]
    return -element.top * mm - above - size * ASCENT / (ASCENT + DESCENT)


def line_start(element: TextElement, width: float) -> float:
    """Return where a line of this width begins, in points, the cell's left being 0."""
    spare = element.width * mm - width
    return element.left * mm + {"left": 0.0, "center": spare / 2, "right": spare}[element.align]


def _block_height(element: TextElement, line_count: int, size: float) -> float:
    """Measure from the top of the first line's em box to the bottom of the last one's."""
    return size + (line_count - 1) * size * element.leading - SLACK_PT


def _placed(element: TextElement, lines: list[str], size: float) -> tuple[SetLine, ...]:
    first_baseline = baseline(element, size, len(lines))
    placed = []
    for number, line in enumerate(lines):
        parts = _parts(element, line, size)
        placed.append(
            SetLine(
                x=line_start(element, _line_width(element, parts, len(line))),
                y=first_baseline - number * size * element.leading,
                parts=parts,
            )
        )
    return tuple(placed)


def _parts(element: TextElement, line: str, size: float) -> tuple[SizedRun, ...]:
    if element.unit_ratio == 1:
        return tuple(SizedRun(run=run, size=size) for run in runs(line, element.weight))
    return tuple(
        SizedRun(run=run, size=size if piece[0] in "0123456789.," else size * element.unit_ratio)
        for piece in _FIGURES.findall(line)
        for run in runs(piece, element.weight)
    )


def _line_width(element: TextElement, parts: tuple[SizedRun, ...], length: int) -> float:
    inked = sum(
        pdfmetrics.stringWidth(part.run.text, part.run.font_name, part.size) for part in parts
    )
    return inked + element.spacing * max(0, length - 1)
