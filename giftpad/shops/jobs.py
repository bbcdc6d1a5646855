"""Scheduled work of shops: the end of files that were kept to be mended, or that nobody needs."""

from __future__ import annotations

from giftpad.kernel.ids import first_id_at
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.shops.adapters import drop_file, list_files
from giftpad.shops.commands import give_up_imports
from giftpad.shops.queries import find_kept
from giftpad.shops.rules.imports import FILE_KEPT

CHUNK_IMPORTS = 1000


def purge_files(scope: Scope) -> int:
    """Delete files that are kept no longer; return how many.

    An import that never ended is refused first.  A file whose import is on no record was handed
    in by a process that died before the order; its id tells how old it is.
    """
    with unit_of_work(scope) as work:
        until = work.at - FILE_KEPT
        given_up = give_up_imports(work, until)
    old = [each for each in list_files(scope.tenant_id) if each < first_id_at(until)]
    count = 0
    for start in range(0, len(old), CHUNK_IMPORTS):
        chunk = old[start : start + CHUNK_IMPORTS]
        with unit_of_work(scope) as work:
            kept = find_kept(work, chunk, until) - given_up
        for import_id in set(chunk) - kept:
            drop_file(scope.tenant_id, import_id)
            count += 1
    return count
