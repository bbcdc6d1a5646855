"""What a checked file of shops would do, told before it is taken.

Hides: how much of a long file is read for it.
"""

from __future__ import annotations

import io
from itertools import islice
from uuid import UUID

from giftpad.kernel.work import Scope, unit_of_work
from giftpad.shops.commands.lines import try_lines
from giftpad.shops.queries import fetch_file, get_import
from giftpad.shops.rules.facts import ShopChange
from giftpad.shops.rules.imports import ImportPreview
from giftpad.shops.rules.sheet import SheetLine, read_sheet

CHANGES_SHOWN = 50
CHUNK_LINES = 1000
LINES_READ_MAX = 5000
"""A page waits for the answer: what changes further down is known by its count only."""


def preview_import(scope: Scope, import_id: UUID) -> ImportPreview:
    """Tell which shops a file would change, the first ones by name, and which areas it names.

    It takes nothing.  The file is fetched and read while no transaction is open.
    Raises: ImportNotFound, ImportFileGone.
    """
    with unit_of_work(scope) as work:
        get_import(work, import_id)
    data = fetch_file(scope.tenant_id, import_id)
    good = (item for item in read_sheet(io.BytesIO(data)) if isinstance(item, SheetLine))
    lines = islice(good, LINES_READ_MAX)
    changes: list[ShopChange] = []
    areas: dict[str, int] = {}
    while chunk := list(islice(lines, CHUNK_LINES)):
        for line in chunk:
            areas.setdefault(line.values["area"], line.line)
        if len(changes) < CHANGES_SHOWN:
            with unit_of_work(scope) as work:
                changes += try_lines(work, chunk).changes
    return ImportPreview(changes=tuple(changes[:CHANGES_SHOWN]), areas=areas)
