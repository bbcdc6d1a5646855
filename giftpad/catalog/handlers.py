"""Reading a file of products: first all of it is checked, then what is right in it is taken.

A crash at any point costs one chunk: checking begins anew, taking goes on after the last product
that was committed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import events
from giftpad.catalog.adapters import drop_file, open_file
from giftpad.catalog.commands.files import check_file, take_file
from giftpad.catalog.commands.imports import finish_import, hold_import
from giftpad.catalog.commands.products import TakenProducts
from giftpad.catalog.errors import ArchiveUnfit
from giftpad.catalog.events import CatalogImportConfirmed, CatalogImportOrdered
from giftpad.catalog.models import ImportFaultRow
from giftpad.catalog.rules.imports import FileReport
from giftpad.catalog.rules.lines import FAULTS_MAX
from giftpad.kernel.errors import DomainError
from giftpad.kernel.work import Actor, Scope, Work, unit_of_work
from giftpad.sheets import LineFault, SheetUnreadable

FAULTS_CHUNK = 1000


@events.detached
def check_import(scope: Scope, event: CatalogImportOrdered) -> None:
    """Check a file of products and keep what it would do and what is wrong with it."""
    import_id = event.object_id
    with unit_of_work(scope) as work:
        if hold_import(work, import_id).state != "ordered":
            return
    try:
        report = check_file(scope, open_file(scope.tenant_id, import_id))
    except (SheetUnreadable, ArchiveUnfit, FileNotFoundError) as error:
        report = _unreadable(error)
    with unit_of_work(scope) as work:
        row = hold_import(work, import_id)
        if row.state != "ordered":
            return  # another delivery of the same event was first
        _keep_faults(work, import_id, report.faults[:FAULTS_MAX])
        row.good_count, row.fault_count = report.good, len(report.faults)
        row.picture_count = report.picture_count
        row.added_count, row.changed_count = report.added, report.changed
        row.unchanged_count = report.unchanged
        if report.good:
            row.state = "checked"
        else:
            finish_import(work, row, "refused")
    if not report.good:
        drop_file(scope.tenant_id, import_id)


def _unreadable(error: DomainError | FileNotFoundError) -> FileReport:
    """Say of a file that cannot be read at all why that is, at its first line."""
    code, params = "catalog_import.file_gone", {}
    if isinstance(error, DomainError):
        code, params = error.code, dict(error.params)
    given = params.get("line", 1)
    line = given if isinstance(given, int) else 1
    fault = LineFault(line=line, column="", code=code, params=params)
    return FileReport(good=0, picture_count=0, added=0, changed=0, unchanged=0, faults=(fault,))


def _keep_faults(work: Work, import_id: UUID, faults: tuple[LineFault, ...]) -> None:
    mine = (
        ImportFaultRow.tenant_id == work.tenant_id,
        ImportFaultRow.import_id == import_id,
    )
    work.session.execute(sa.delete(ImportFaultRow).where(*mine))
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": work.tenant_id,
            "import_id": import_id,
            "seq": seq,
            "line": fault.line,
            "column": fault.column,
            "code": fault.code,
            "params": fault.params,
        }
        for seq, fault in enumerate(faults, start=1)
    ]
    for start in range(0, len(rows), FAULTS_CHUNK):
        work.session.execute(insert(ImportFaultRow), rows[start : start + FAULTS_CHUNK])


@events.detached
def take_confirmed(scope: Scope, event: CatalogImportConfirmed) -> None:
    """Take what is right in a checked file, a chunk a transaction."""
    import_id = event.object_id
    with unit_of_work(scope) as work:
        row = hold_import(work, import_id)
        state, start = row.state, row.taken_count
        by_kind, _, by_id = row.ordered_by.partition(":")
        if state == "taking" and start == 0:
            row.added_count = row.changed_count = row.unchanged_count = 0
    if state == "taking":
        # What is recorded carries the name of whoever said so, not that of the job.
        scope = Scope(tenant_id=scope.tenant_id, actor=Actor(kind=by_kind, id=by_id))
        _take(scope, import_id, start)
    with unit_of_work(scope) as work:
        is_over = hold_import(work, import_id).finished_at is not None
    if is_over:
        drop_file(scope.tenant_id, import_id)


def _take(scope: Scope, import_id: UUID, start: int) -> None:
    last = start
    is_mine = True

    def note(work: Work, done: int, counts: TakenProducts) -> bool:
        nonlocal last, is_mine
        row = hold_import(work, import_id)
        if row.taken_count != last:
            is_mine = False  # another delivery of the same event; two would count it twice
            return False
        row.taken_count = last = done
        row.added_count += counts.added
        row.changed_count += counts.changed
        row.unchanged_count += counts.unchanged
        return True

    take_file(scope, open_file(scope.tenant_id, import_id), start=start, on_chunk=note)
    if not is_mine:
        return
    with unit_of_work(scope) as work:
        row = hold_import(work, import_id)
        if row.finished_at is None:
            finish_import(work, row, "done")
