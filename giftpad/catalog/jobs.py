"""Scheduled work of the catalogue: the end of files, reports, counts and pictures."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from giftpad.catalog.adapters import drop_file, drop_picture, list_files, list_kept_pictures
from giftpad.catalog.commands.imports import give_up_imports
from giftpad.catalog.models import DailyCountRow, ImportFaultRow, ImportRow, PictureRow
from giftpad.catalog.queries.available import today
from giftpad.catalog.queries.imports import find_open_imports, list_left_pictures
from giftpad.catalog.rules.imports import (
    COUNTS_KEPT_DAYS,
    FILE_KEPT,
    IMPORTS_KEPT,
    PICTURES_KEPT,
)
from giftpad.kernel.ids import first_id_at
from giftpad.kernel.work import Scope, unit_of_work

CHUNK = 1000


def purge_old(scope: Scope) -> int:
    """Delete what is kept no longer, and return how many files and pictures that were.

    An import that nobody took in is refused first, with its file.
    """
    with unit_of_work(scope) as work:
        given_up = give_up_imports(work, work.at - FILE_KEPT)
        oldest = work.at - IMPORTS_KEPT
        old_imports = sa.select(ImportRow.id).where(
            ImportRow.tenant_id == work.tenant_id, ImportRow.finished_at < oldest
        )
        work.session.execute(
            sa.delete(ImportFaultRow).where(
                ImportFaultRow.tenant_id == work.tenant_id,
                ImportFaultRow.import_id.in_(old_imports),
            )
        )
        work.session.execute(
            sa.delete(ImportRow).where(
                ImportRow.tenant_id == work.tenant_id, ImportRow.finished_at < oldest
            )
        )
        work.session.execute(
            sa.delete(DailyCountRow).where(
                DailyCountRow.tenant_id == work.tenant_id,
                DailyCountRow.day < today(work) - timedelta(days=COUNTS_KEPT_DAYS),
            )
        )
        young, left_before = first_id_at(work.at - FILE_KEPT), work.at - PICTURES_KEPT
    count = 0
    # A file whose import is on no record was handed in by a process that died before the order.
    old = [each for each in list_files(scope.tenant_id) if each < young or each in given_up]
    for start in range(0, len(old), CHUNK):
        chunk = old[start : start + CHUNK]
        with unit_of_work(scope) as work:
            is_open = find_open_imports(work, chunk)
        for import_id in set(chunk) - is_open:
            drop_file(scope.tenant_id, import_id)
            count += 1
    kept = list_kept_pictures(scope.tenant_id)
    for start in range(0, len(kept), CHUNK):
        chunk = kept[start : start + CHUNK]
        with unit_of_work(scope) as work:
            left = list_left_pictures(work, chunk, added_before=left_before)
            work.session.execute(
                sa.delete(PictureRow).where(
                    PictureRow.tenant_id == work.tenant_id, PictureRow.id.in_(left)
                )
            )
        for picture_id in left:
            drop_picture(scope.tenant_id, picture_id)
            count += 1
    return count
