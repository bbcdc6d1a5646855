"""What a checked file of shops would do, told before it is taken.

Hides: how much of a long file is read for it.
"""

from __future__ import annotations

import io
from itertools import islice
from uuid import UUID

from giftpad.kernel.work import Work
from giftpad.shops.adapters import open_file
from giftpad.shops.commands.lines import try_lines
from giftpad.shops.errors import ImportFileGone
from giftpad.shops.queries import get_import
from giftpad.shops.rules.facts import ShopChange
from giftpad.shops.rules.imports import ImportPreview
from giftpad.shops.rules.sheet import SheetLine, read_sheet

CHANGES_SHOWN = 50
CHUNK_LINES = 1000
LINES_READ_MAX = 5000
"""A page waits for the answer: what changes further down is known by its count only."""


def preview_import(work: Work, import_id: UUID) -> ImportPreview:
    """Tell which shops a file would change, the first ones by name, and which areas it names.

    It takes nothing.
    Raises: ImportNotFound, ImportFileGone.
    """
    get_import(work, import_id)
    try:
        data = open_file(work.tenant_id, import_id)
    except FileNotFoundError as error:
        raise ImportFileGone from error
    good = (item for item in read_sheet(io.BytesIO(data)) if isinstance(item, SheetLine))
    lines = islice(good, LINES_READ_MAX)
    changes: list[ShopChange] = []
    areas: dict[str, int] = {}
    while chunk := list(islice(lines, CHUNK_LINES)):
        for line in chunk:
            areas.setdefault(line.values["area"], line.line)
        if len(changes) < CHANGES_SHOWN:
            changes += try_lines(work, chunk).changes
    return ImportPreview(changes=tuple(changes[:CHANGES_SHOWN]), areas=areas)
