"""Security patterns as smooth curves: bands of waves, rosettes, fish-scale fields.

Hides: the mathematics of guilloche; what comes out are cubic Bezier curves in millimetres from
the top left of the pattern's box.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from giftpad.printing.rules.layout import PatternElement

Point = tuple[float, float]

SCALE_RINGS = 2
# Middle radius of each ring and how far its lobes swing, as shares of the whole.
ROSETTE_RINGS = ((0.86, 0.13), (0.58, 0.15), (0.29, 0.14))
# A quarter circle by one cubic curve (the usual constant, error below 0.03 %).
_QUARTER = 0.5522847498


@dataclass(frozen=True, slots=True)
class Curve:
    """A smooth line: where it starts, then control, control and end points, three by three."""

    start: Point
    bends: tuple[tuple[Point, Point, Point], ...]


def curves(element: PatternElement) -> Iterator[Curve]:
    """Draw a pattern element's figure."""
    if element.figure == "waves":
        yield from _waves(element)
    elif element.figure == "rosette":
        yield from _rosette(element)
    else:
        yield from _scales(element)


def _waves(element: PatternElement) -> Iterator[Curve]:
    """Interlace sine waves, evenly out of step, along the longer side of the box.

    Whole waves only, so that bands which meet in a corner look alike at both ends.
    """
    lying = element.width >= element.height
    length, depth = (element.width, element.height) if lying else (element.height, element.width)
    turns = max(1, round(element.turns))
    for strand in range(element.strands):
        shift = strand / element.strands

        def at(part: float, shift: float = shift) -> Point:
            across = depth / 2 * (1 + math.sin(2 * math.pi * (part * turns + shift)))
            return (part * length, across) if lying else (across, part * length)

        # A crest every half turn, the first where the sine has come to a quarter.
        crests = [(k / 2 + 0.25 - shift) / turns for k in range(-1, 2 * turns + 2)]
        yield _smooth(at, [0.0, *(part for part in crests if 0 < part < 1), 1.0])


def _rosette(element: PatternElement) -> Iterator[Curve]:
    """Lay rings of lobes inside each other; in each ring the strands interlace."""
    lobes = max(3, round(element.turns))
    for ring, swing in ROSETTE_RINGS:
        for strand in range(element.strands):
            shift = 2 * math.pi * strand / element.strands

            def at(
                part: float, shift: float = shift, ring: float = ring, swing: float = swing
            ) -> Point:
                angle = 2 * math.pi * part
                reach = ring + swing * math.cos(lobes * angle + shift)
                return (
                    element.width / 2 * (1 + reach * math.cos(angle)),
                    element.height / 2 * (1 + reach * math.sin(angle)),
                )

            tips = [(k / 2 - strand / element.strands) / lobes for k in range(2 * lobes + 1)]
            yield _smooth(at, tips)


def _scales(element: PatternElement) -> Iterator[Curve]:
    """Fill the box with seigaiha, rows of overlapping half rings; ``turns`` are rings across.

    With a ``rim`` only what lies that near to an edge is drawn: every ring costs each time that
    the finished page is drawn, and a panel above would hide the others.
    """
    radius = element.width / (2 * max(1, round(element.turns)))
    rim = (element.rim or element.width) + radius
    for row in range(math.ceil(element.height / (radius / 2)) + 1):
        y = (row + 1) * radius / 2
        for column in range(round(element.turns) + 1):
            x = (2 * column + row % 2) * radius
            if min(x, element.width - x, y, element.height - y) > rim:
                continue
            for ring in range(SCALE_RINGS):
                yield _half_ring((x, y), radius * (1 - 0.4 * ring))


def _half_ring(middle: Point, radius: float) -> Curve:
    """Draw the upper half of a circle, down to where the next row covers it."""
    x, y = middle
    pull = radius * _QUARTER
    return Curve(
        (x - radius, y),
        (
            ((x - radius, y - pull), (x - pull, y - radius), (x, y - radius)),
            ((x + pull, y - radius), (x + radius, y - pull), (x + radius, y)),
        ),
    )


def _smooth(at: Callable[[float], Point], knots: Sequence[float]) -> Curve:
    """Follow a function by cubic curves whose slopes agree where they meet.

    With its knots on the crests a wave needs two curves a turn: every curve is read again for
    each coupon whenever a page is drawn, at the print shop too.
    """
    tiny = 1e-5
    bends = []
    for from_part, to_part in pairwise(knots):
        (x0, y0), (x3, y3) = at(from_part), at(to_part)
        slopes = [
            ((ahead[0] - behind[0]) / (2 * tiny), (ahead[1] - behind[1]) / (2 * tiny))
            for part in (from_part, to_part)
            for ahead, behind in [(at(part + tiny), at(part - tiny))]
        ]
        third = (to_part - from_part) / 3
        bends.append(
            (
                (x0 + slopes[0][0] * third, y0 + slopes[0][1] * third),
                (x3 - slopes[1][0] * third, y3 - slopes[1][1] * third),
                (x3, y3),
            )
        )
    return Curve(at(knots[0]), tuple(bends))
