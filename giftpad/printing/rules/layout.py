"""A print template in memory: its paper, its cells, its fields and what is drawn where.

All lengths are millimetres from the top left, of the page for cells and of the cell for elements;
type sizes and line widths are points.

Hides: how ``{field}`` stands in a text, and which cell an item falls into.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

PAPERS_MM: Final = {"A4": (210.0, 297.0), "A5": (148.0, 210.0), "postcard": (100.0, 148.0)}
BLEED_MM: Final = 3.0
MARK_OFFSET_MM: Final = 3.0
MARK_LENGTH_MM: Final = 4.0

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

Kind = Literal["text", "lines", "colour", "serial", "qr", "code"]
Scope = Literal["common", "item"]


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of a template as ``template.toml`` declares it; one of kind qr or code spends."""

    kind: Kind = "text"
    scope: Scope = "common"
    required: bool = False

    @property
    def spends(self) -> bool:
        """Say whether the value is money, so that no picture and no message may show it."""
        return self.kind in {"qr", "code"}


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of ``template.toml``."""

    title: str
    paper: str
    per_page: int
    fields: dict[str, Field]
    language: str = "ja"
    crop_marks: bool = True
    bleed_mm: float = 0.0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The sheet of paper."""

    width: float
    height: float


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Equal cells in columns and rows, each the trimmed size of one item."""

    left: float
    top: float
    width: float
    height: float
    columns: int = 1
    rows: int = 1
    gap_x: float = 0.0
    gap_y: float = 0.0


class Placed(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything with a box in the cell."""

    left: float
    top: float
    width: float
    height: float


class TextElement(Placed, frozen=True, kw_only=True, tag="text"):
    """Words in a box: shrunk to fit down to ``size_min``, never cut.

    With ``unit_ratio`` all but digits and their marks are set smaller, as the yen of a face value.
    """

    text: str
    size: float
    size_min: float | None = None
    lines: int = 1
    leading: float = 1.4
    align: Literal["left", "center", "right"] = "left"
    valign: Literal["top", "middle", "bottom"] = "middle"
    weight: Literal["regular", "bold"] = "regular"
    colour: str = "ink"
    spacing: float = 0.0
    unit_ratio: float = 1.0


class QrElement(Placed, frozen=True, kw_only=True, tag="qr"):
    """A QR code on a white plate; the box includes its quiet zone."""

    field: str


class ImageElement(Placed, frozen=True, kw_only=True, tag="image"):
    """A picture from the template's own folder, kept in proportion."""

    file: str


class PictureElement(Placed, frozen=True, kw_only=True, tag="picture"):
    """A picture that comes with the data, by its name there; nothing is drawn without one."""

    name: str


class BoxElement(Placed, frozen=True, kw_only=True, tag="box"):
    """A rectangle, filled, outlined or both."""

    fill: str | None = None
    stroke: str | None = None
    thickness: float = 0.5
    radius: float = 0.0


class LineElement(Placed, frozen=True, kw_only=True, tag="line"):
    """A straight line from the box's top left to its bottom right."""

    colour: str = "ink"
    thickness: float = 0.5
    dashes: list[float] = []


class FoldElement(Placed, frozen=True, kw_only=True, tag="fold"):
    """A line where the paper is folded or torn, always dashed alike."""


class PatternElement(Placed, frozen=True, kw_only=True, tag="pattern"):
    """A drawn security pattern: ``waves`` along the box's longer side, ``rosette``, ``scales``."""

    figure: Literal["waves", "rosette", "scales"]
    colour: str = "accent"
    thickness: float = 0.25
    strands: int = 6
    turns: float = 12.0
    rim: float = 0.0


Element = (
    TextElement
    | QrElement
    | ImageElement
    | PictureElement
    | BoxElement
    | LineElement
    | FoldElement
    | PatternElement
)


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """The content of ``layout.json``."""

    page: Page
    grid: Grid
    elements: list[Element]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The trimmed area of one item on the page; numbered from 1, row by row."""

    number: int
    left: float
    top: float
    width: float
    height: float

    def holds(self, x: float, y: float) -> bool:
        """Say whether a point of the page lies in this cell."""
        across = self.left <= x <= self.left + self.width
        return across and self.top <= y <= self.top + self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """How a file is to be printed; ``crop_marks`` None leaves it to the template.

    ``pictures`` are PNG or JPEG files by the names that the template calls them.
    """

    crop_marks: bool | None = None
    bleed: bool = False
    qr_as_path: bool = False
    specimen: bool = False
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What was written."""

    page_count: int
    item_count: int


def cells(layout: Layout) -> list[Cell]:
    """List the cells of a page in the order in which items fill them."""
    grid = layout.grid
    return [
        Cell(
            number=row * grid.columns + column + 1,
            left=grid.left + column * (grid.width + grid.gap_x),
            top=grid.top + row * (grid.height + grid.gap_y),
            width=grid.width,
            height=grid.height,
        )
        for row in range(grid.rows)
        for column in range(grid.columns)
    ]


def spending_areas(head: Head, layout: Layout) -> list[tuple[float, float, float, float]]:
    """List the areas of a page that show what spends: left, top, width, height."""
    shown = [
        element
        for element in layout.elements
        if any(head.fields[name].spends for name in fields_of(element) if name in head.fields)
    ]
    return [
        (cell.left + box.left, cell.top + box.top, box.width, box.height)
        for cell in cells(layout)
        for box in shown
    ]


def code_areas(layout: Layout) -> list[tuple[float, float, float, float]]:
    """List where codes stand on a page, quiet zone and all: left, top, width, height."""
    return [
        (cell.left + box.left, cell.top + box.top, box.width, box.height)
        for cell in cells(layout)
        for box in layout.elements
        if isinstance(box, QrElement)
    ]


def cut_positions(layout: Layout) -> tuple[list[float], list[float]]:
    """List where the sheet is cut: positions from the left, positions from the top."""
    placed = cells(layout)
    across = {round(edge, 4) for cell in placed for edge in (cell.left, cell.left + cell.width)}
    down = {round(edge, 4) for cell in placed for edge in (cell.top, cell.top + cell.height)}
    return sorted(across), sorted(down)


def placeholders(text: str) -> list[str]:
    """List the fields that a text names in braces."""
    return _PLACEHOLDER.findall(text)


def pieces(text: str) -> list[str]:
    """Cut a text at its fields: words, a field's name, words, and so on; it ends with words.

    >>> pieces("No. {serial}")
    ['No. ', 'serial', '']
    """
    return _PLACEHOLDER.split(text)


def fields_of(element: Element) -> list[str]:
    """List the fields that an element shows."""
    if isinstance(element, TextElement):
        return placeholders(element.text)
    return [element.field] if isinstance(element, QrElement) else []


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of ``{field}``; empty when a text names fields and all are empty."""
    names = placeholders(text)
    if names and not any(values.get(name) for name in names):
        return ""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], ""), text)
