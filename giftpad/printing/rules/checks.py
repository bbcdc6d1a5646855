"""What a template must keep to, beyond what its schema can say.

Hides: each single check; callers get the list of problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from giftpad.printing.rules import layout
from giftpad.printing.rules.matrix import MODULE_MM_MIN, QUIET_MODULES
from giftpad.printing.rules.problems import Problem

CUSTOM_PAPER: Final = "custom"
# Version 4, which holds the address of any usual installation.
QR_MODULES_EXPECTED: Final = 33
TOLERANCE_MM: Final = 0.01

_Finding = tuple[str, str, str]


def head_problems(head: layout.Head, sheet: layout.Layout, *, file: Path) -> list[Problem]:
    """Compare what ``template.toml`` declares with what the layout does."""
    findings = [*_paper(head, sheet), *_unused_fields(head, sheet)]
    return _as_problems(findings, file)


def layout_problems(head: layout.Head, sheet: layout.Layout, *, file: Path) -> list[Problem]:
    """Check geometry and fields of a layout."""
    findings = [*_grid(head, sheet)]
    for number, element in enumerate(sheet.elements):
        place = f"$.elements[{number}]"
        findings += _bounds(head, sheet, element, place)
        findings += _fields(head, element, place)
        if isinstance(element, layout.QrElement):
            findings += _qr_size(element, place)
    return _as_problems(findings, file)


def _as_problems(findings: list[_Finding], file: Path) -> list[Problem]:
    return [
        Problem(file=file, place=place, sentence=sentence, remedy=remedy)
        for place, sentence, remedy in findings
    ]


def _paper(head: layout.Head, sheet: layout.Layout) -> Iterator[_Finding]:
    if head.paper != CUSTOM_PAPER:
        size = layout.PAPERS_MM.get(head.paper)
        known = ", ".join([*layout.PAPERS_MM, CUSTOM_PAPER])
        if size is None:
            yield "paper", f"The paper {head.paper!r} is not known.", f"Use one of {known}."
        elif {sheet.page.width, sheet.page.height} != set(size):
            sentence = f"{head.paper} is {size[0]:g} x {size[1]:g} mm, the layout's page is not."
            yield "paper", sentence, "Change the page of layout.json or the paper."
    count = len(layout.cells(sheet))
    if head.per_page != count:
        sentence = f"The layout has {count} cells, not {head.per_page}."
        yield "per_page", sentence, "Make per_page and the grid agree."


def _unused_fields(head: layout.Head, sheet: layout.Layout) -> Iterator[_Finding]:
    used = {name for element in sheet.elements for name in layout.fields_of(element)}
    for name, field in head.fields.items():
        if field.kind != "colour" and name not in used:
            sentence = "The field stands nowhere on the paper."
            yield f"fields.{name}", sentence, "Show it by an element or do not declare it."


def _grid(head: layout.Head, sheet: layout.Layout) -> Iterator[_Finding]:
    across, down = layout.cut_positions(sheet)
    page, grid = sheet.page, sheet.grid
    margin = min(across[0], down[0], page.width - across[-1], page.height - down[-1])
    if margin < -TOLERANCE_MM:
        yield "$.grid", "The cells do not fit on the page.", "Make the cells or the gaps smaller."
    elif head.crop_marks and margin < layout.MARK_OFFSET_MM + layout.MARK_LENGTH_MM - TOLERANCE_MM:
        needed = layout.MARK_OFFSET_MM + layout.MARK_LENGTH_MM
        sentence = f"Crop marks need {needed:g} mm around the cells."
        yield "$.grid", sentence, "Leave more margin or set crop_marks = false."
    gaps = [
        gap for gap, count in ((grid.gap_x, grid.columns), (grid.gap_y, grid.rows)) if count > 1
    ]
    if head.bleed_mm and min([*gaps, 2 * head.bleed_mm]) < 2 * head.bleed_mm:
        sentence = "Neighbouring cells would bleed into each other."
        yield "$.grid", sentence, f"Make the gaps at least {2 * head.bleed_mm:g} mm."


def _bounds(
    head: layout.Head, sheet: layout.Layout, element: layout.Element, place: str
) -> Iterator[_Finding]:
    """Keep words and codes inside the trim; art may reach into the bleed."""
    is_content = isinstance(element, layout.TextElement | layout.QrElement)
    spare = TOLERANCE_MM + (0 if is_content else head.bleed_mm)
    grid = sheet.grid
    fits = (
        min(element.left, element.top) >= -spare
        and max(element.left, element.left + element.width) <= grid.width + spare
        and max(element.top, element.top + element.height) <= grid.height + spare
    )
    if not fits:
        sentence = f"The element leaves its cell of {grid.width:g} x {grid.height:g} mm."
        yield place, sentence, "Move it or make it smaller."


def _fields(head: layout.Head, element: layout.Element, place: str) -> Iterator[_Finding]:
    for name in layout.fields_of(element):
        field = head.fields.get(name)
        if field is None:
            remedy = f"Declare it in template.toml; known are {', '.join(head.fields)}."
            yield place, f"The field {name!r} is not declared.", remedy
        elif (field.kind == "qr") != isinstance(element, layout.QrElement):
            sentence = f"The field {name!r} is of kind {field.kind}."
            yield place, sentence, "Show a field of kind qr by an element qr, and no other."


def _qr_size(element: layout.QrElement, place: str) -> Iterator[_Finding]:
    needed = MODULE_MM_MIN * (QR_MODULES_EXPECTED + 2 * QUIET_MODULES)
    if min(element.width, element.height) < needed:
        sentence = f"A module would be smaller than {MODULE_MM_MIN:g} mm."
        yield place, sentence, f"Make the box at least {needed:.1f} mm wide and high."
