"""Scheduled work of shops: the end of files that were kept to be mended."""

from __future__ import annotations

from datetime import timedelta

from giftpad.kernel.work import Scope, unit_of_work
from giftpad.shops.adapters import drop_file
from giftpad.shops.queries.imports import list_kept_files
from giftpad.shops.rules.imports import FILE_KEPT

LOOKED_BACK = timedelta(days=90)
"""However long nothing ran; a file that is gone already costs one look."""


def purge_files(scope: Scope) -> int:
    """Delete files of imports that ended long enough ago; return of how many imports."""
    with unit_of_work(scope) as work:
        until = work.at - FILE_KEPT
        import_ids = list_kept_files(work, (until - LOOKED_BACK, until))
    for import_id in import_ids:
        drop_file(scope.tenant_id, import_id)
    return len(import_ids)
