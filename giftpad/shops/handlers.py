"""Reading a file of shops: first all of it is checked, then its lines are taken in chunks.

A crash at any point costs one chunk: checking begins anew, taking goes on after the last line
that was committed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events
from giftpad.kernel.work import Actor, Scope, Work, unit_of_work
from giftpad.sheets import LineFault
from giftpad.shops.adapters import drop_file, open_file
from giftpad.shops.commands import take_lines, try_lines
from giftpad.shops.events import ShopImportOrdered
from giftpad.shops.models import ImportFaultRow, ImportRow
from giftpad.shops.rules.facts import Taken
from giftpad.shops.rules.sheet import SheetLine, read_sheet

CHUNK_LINES = 1000
PATIENCE_S = 60
FAULTS_MAX = 200_000
NUMBERS_AUDITED_MAX = 50


@events.detached
def run_import(scope: Scope, event: ShopImportOrdered) -> None:
    """Check a file of shops, and take its lines where the order and the check allow it."""
    import_id = event.object_id
    with unit_of_work(scope) as work:
        row = _hold(work, import_id)
        state, is_over = row.state, row.finished_at is not None
        by_kind, _, by_id = row.ordered_by.partition(":")
    # What is recorded carries the name of whoever handed the file in, not that of the job.
    scope = Scope(tenant_id=scope.tenant_id, actor=Actor(kind=by_kind, id=by_id))
    if not is_over:
        data = open_file(scope.tenant_id, import_id)
        if state != "taking":
            state = _check(scope, import_id, data)
        is_over = state != "taking" or _take(scope, import_id, data)
    if is_over:
        with unit_of_work(scope) as work:
            row = _hold(work, import_id)
            # Somebody may still mend its lines, or take it in after a trial.
            is_needed = row.is_dry or row.bad_count > 0
        if not is_needed:
            drop_file(scope.tenant_id, import_id)


def _hold(work: Work, import_id: UUID) -> ImportRow:
    statement = sa.select(ImportRow).where(
        ImportRow.tenant_id == work.tenant_id, ImportRow.id == import_id
    )
    return work.session.scalars(statement.with_for_update()).one()


def _check(scope: Scope, import_id: UUID, data: bytes) -> str:
    """Read the whole file, keep its faults, and return the state that follows."""
    with unit_of_work(scope) as work:
        row = _hold(work, import_id)
        row.state, is_dry = "checking", row.is_dry
        work.session.execute(
            sa.delete(ImportFaultRow).where(
                ImportFaultRow.tenant_id == work.tenant_id, ImportFaultRow.import_id == import_id
            )
        )
    good, fault_count = 0, 0
    bad_lines: set[int] = set()
    faults: list[LineFault] = []
    for item in read_sheet(io.BytesIO(data)):
        if isinstance(item, SheetLine):
            good += 1
            continue
        bad_lines.add(item.line)
        if fault_count + len(faults) < FAULTS_MAX:
            faults.append(item)
        if len(faults) == CHUNK_LINES:
            fault_count += _keep_faults(scope, import_id, faults, first_seq=fault_count + 1)
            faults = []
    fault_count += _keep_faults(scope, import_id, faults, first_seq=fault_count + 1)
    tried = _try(scope, data) if is_dry else Taken()
    with unit_of_work(scope) as work:
        row = _hold(work, import_id)
        row.good_count, row.bad_count, row.fault_count = good, len(bad_lines), fault_count
        row.enrolled_count, row.changed_count = tried.enrolled, tried.changed
        row.unchanged_count = tried.unchanged
        row.state = _state_after_check(row)
        if row.state != "taking":
            _finish(work, row)
        return row.state


def _try(scope: Scope, data: bytes) -> Taken:
    """Count what taking the good lines would do."""
    lines = (item for item in read_sheet(io.BytesIO(data)) if isinstance(item, SheetLine))
    tried = Taken()
    while chunk := list(islice(lines, CHUNK_LINES)):
        with unit_of_work(scope) as work:
            tried = tried.plus(try_lines(work, chunk))
    return tried


def _state_after_check(row: ImportRow) -> str:
    if row.fault_count and not (row.is_partial and row.good_count):
        return "refused"
    return "done" if row.is_dry else "taking"


def _keep_faults(scope: Scope, import_id: UUID, faults: list[LineFault], *, first_seq: int) -> int:
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": scope.tenant_id,
            "import_id": import_id,
            "seq": seq,
            "line": fault.line,
            "column": fault.column,
            "code": fault.code,
            "params": fault.params,
        }
        for seq, fault in enumerate(faults, start=first_seq)
    ]
    if rows:
        with unit_of_work(scope) as work:
            work.session.execute(insert(ImportFaultRow), rows)
    return len(rows)


def _take(scope: Scope, import_id: UUID, data: bytes) -> bool:
    """Take the good lines after the last one that is taken already, a chunk a transaction.

    Return false when another delivery of the same event is doing so.
    """
    with unit_of_work(scope) as work:
        taken_line = _hold(work, import_id).taken_line
    lines = (
        item
        for item in read_sheet(io.BytesIO(data))
        if isinstance(item, SheetLine) and item.line > taken_line
    )
    changed: list[str] = []
    while chunk := list(islice(lines, CHUNK_LINES)):
        with unit_of_work(scope, patience_s=PATIENCE_S) as work:
            row = _hold(work, import_id)
            if row.taken_line != taken_line:
                return False  # Two would count the same lines twice.
            taken = take_lines(work, chunk)
            row.enrolled_count += taken.enrolled
            row.changed_count += taken.changed
            row.unchanged_count += taken.unchanged
            row.taken_line = taken_line = chunk[-1].line
        changed += [change.number for change in taken.changes]
        del changed[NUMBERS_AUDITED_MAX:]
    with unit_of_work(scope) as work:
        row = _hold(work, import_id)
        if row.finished_at is None:
            row.state = "done"
            # After a crash only those changed since are named; the counts are those of all.
            _finish(work, row, changed)
    return True


def _finish(work: Work, row: ImportRow, changed: Sequence[str] = ()) -> None:
    """End an import, and put on record what it did; ``changed`` are the first shops' numbers."""
    row.finished_at = work.at
    # What a trial would do is no deed.
    counts = ("good", "bad", "fault", *(() if row.is_dry else ("enrolled", "changed", "unchanged")))
    details: dict[str, Any] = {count: getattr(row, f"{count}_count") for count in counts}
    if changed:
        details["changed_shops"] = list(changed)
    audit.record(
        work,
        action="shop_import.checked" if row.is_dry else f"shop_import.{row.state}",
        subject=f"shop_import:{row.id}",
        details=details,
    )
