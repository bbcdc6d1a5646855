"""The part of a tenant pack that is about shops: one CSV file, as it would be imported."""

from __future__ import annotations

import io
from typing import cast

from giftpad.kernel.work import Work
from giftpad.sheets import LineFault
from giftpad.shops.commands.lines import take_lines
from giftpad.shops.rules.facts import Taken
from giftpad.shops.rules.faults import SENTENCES
from giftpad.shops.rules.sheet import SheetLine, read_sheet
from giftpad.tenancy import PackFolder, Problems

CHUNK_LINES = 1000


def read_section(
    folder: PackFolder, paths: tuple[str, ...], problems: Problems
) -> tuple[SheetLine, ...]:
    """Read ``shops.csv``; each fault is a problem of its line."""
    lines: list[SheetLine] = []
    for path in paths:
        for item in read_sheet(io.BytesIO(folder.files[path])):
            if isinstance(item, LineFault):
                fault, remedy = (text.format_map(item.params) for text in SENTENCES[item.code])
                where = f"{item.column}: " if item.column else ""
                problems.add(folder.shown(path), item.line, where + fault, remedy=remedy)
            else:
                lines.append(item)
    return tuple(lines)


def apply_section(work: Work, section: object) -> list[str]:
    """Enrol and change the shops of a pack; shops it does not name stay as they are."""
    lines = cast("tuple[SheetLine, ...]", section)
    taken = Taken()
    for first in range(0, len(lines), CHUNK_LINES):
        taken = taken.plus(take_lines(work, lines[first : first + CHUNK_LINES]))
    counts = {"enrolled": taken.enrolled, "changed": taken.changed}
    return [f"{count} {verb}" for verb, count in counts.items() if count]
