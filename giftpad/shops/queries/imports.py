"""Reading imports: how far they are, what is wrong with their lines, and the file mended."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.sheets import LineFault
from giftpad.shops.adapters import open_file
from giftpad.shops.errors import ImportFileGone, ImportNotFound
from giftpad.shops.models import ImportFaultRow, ImportRow
from giftpad.shops.rules.imports import FaultyLine, ImportView
from giftpad.shops.rules.mending import find_cells, write_mended

FAULTS_PAGE = 1000
LINES_PAGE = 200
FAULTS_A_LINE_MAX = 20
IMPORTS_PAGE = 50


def get_import(work: Work, import_id: UUID) -> ImportView:
    """Return how far an import is; a caller bound to one shop sees none, for they name others.

    Raises: ImportNotFound.
    """
    row = work.session.get(ImportRow, (work.tenant_id, import_id))
    if row is None or work.scope.actor.shop_id is not None:
        raise ImportNotFound
    return _view(row)


def _view(row: ImportRow) -> ImportView:
    return ImportView(
        id=row.id,
        state=row.state,
        is_partial=row.is_partial,
        is_dry=row.is_dry,
        good_count=row.good_count,
        bad_count=row.bad_count,
        fault_count=row.fault_count,
        enrolled_count=row.enrolled_count,
        changed_count=row.changed_count,
        unchanged_count=row.unchanged_count,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def list_faults(
    work: Work, import_id: UUID, *, after_seq: int = 0, limit: int = FAULTS_PAGE
) -> Sequence[LineFault]:
    """Return what is wrong with an imported file, from one fault on, in the order of its lines."""
    statement = (
        sa.select(ImportFaultRow)
        .where(
            ImportFaultRow.tenant_id == work.tenant_id,
            ImportFaultRow.import_id == import_id,
            ImportFaultRow.seq > after_seq,
        )
        .order_by(ImportFaultRow.seq)
        .limit(limit)
    )
    return [
        LineFault(line=row.line, column=row.column, code=row.code, params=row.params)
        for row in work.session.scalars(statement)
    ]


def list_imports(
    work: Work, *, faulty_since: datetime | None = None, limit: int = IMPORTS_PAGE
) -> list[ImportView]:
    """Return the newest imports, or those since an instant in which something is wrong.

    A caller bound to one shop sees none.
    """
    if work.scope.actor.shop_id is not None:
        return []
    wanted = [ImportRow.tenant_id == work.tenant_id]
    if faulty_since is not None:
        wanted += [ImportRow.created_at >= faulty_since, ImportRow.fault_count > 0]
    statement = (
        sa.select(ImportRow)
        .where(*wanted)
        .order_by(ImportRow.id.desc())
        .limit(min(limit, IMPORTS_PAGE))
    )
    return [_view(row) for row in work.session.scalars(statement)]


def fetch_file(tenant_id: UUID, import_id: UUID) -> bytes:
    """Return the file of an import; no transaction may be open, for the store may be slow.

    Raises: ImportFileGone.
    """
    try:
        return open_file(tenant_id, import_id)
    except FileNotFoundError as error:
        raise ImportFileGone from error


def faulty_lines(
    scope: Scope, import_id: UUID, *, after_line: int = 0, limit: int = 50
) -> list[FaultyLine]:
    """Return the lines of a file in which something is wrong, with their cells as they stand.

    The cells are missing where the line cannot be taken apart or the file is kept no more.
    Raises: ImportNotFound.
    """
    most = min(limit, LINES_PAGE)
    statement = (
        sa.select(ImportFaultRow)
        .where(
            ImportFaultRow.tenant_id == scope.tenant_id,
            ImportFaultRow.import_id == import_id,
            ImportFaultRow.line > after_line,
        )
        .order_by(ImportFaultRow.line, ImportFaultRow.seq)
        .limit(most * FAULTS_A_LINE_MAX)
    )
    faults: dict[int, list[LineFault]] = {}
    with unit_of_work(scope) as work:
        get_import(work, import_id)
        for row in work.session.scalars(statement):
            fault = LineFault(line=row.line, column=row.column, code=row.code, params=row.params)
            faults.setdefault(row.line, []).append(fault)
    lines = sorted(faults)[:most]
    cells: Mapping[int, Mapping[str, str]] = {}
    if lines:
        with suppress(ImportFileGone):
            cells = find_cells(io.BytesIO(fetch_file(scope.tenant_id, import_id)), set(lines))
    return [
        FaultyLine(line=line, cells=cells.get(line, {}), faults=tuple(faults[line]))
        for line in lines
    ]


def corrected_file(
    scope: Scope,
    import_id: UUID,
    mends: Mapping[tuple[int, str], str],
    *,
    only_faulty: bool = False,
    is_guarded: bool = True,
) -> bytes:
    """Return an imported file with the cells of some lines and fields written anew, as UTF-8.

    All else stays as it is; with ``only_faulty`` the lines that are right are left out.  For a
    file that is taken away (``is_guarded``) what a spreadsheet would take for a formula is
    written behind an apostrophe, which the next import takes off again.
    Raises: ImportNotFound, ImportFileGone.
    """
    lines = None
    with unit_of_work(scope) as work:
        get_import(work, import_id)
        if only_faulty:
            statement = sa.select(ImportFaultRow.line).where(
                ImportFaultRow.tenant_id == work.tenant_id, ImportFaultRow.import_id == import_id
            )
            lines = set(work.session.scalars(statement))
    data = fetch_file(scope.tenant_id, import_id)
    return write_mended(io.BytesIO(data), mends, only=lines, is_guarded=is_guarded)


def find_kept(work: Work, import_ids: Collection[UUID], since: datetime) -> set[UUID]:
    """Return those of these imports that ended since an instant, or have not ended."""
    statement = sa.select(ImportRow.id).where(
        ImportRow.tenant_id == work.tenant_id,
        ImportRow.id.in_(import_ids),
        sa.or_(ImportRow.finished_at.is_(None), ImportRow.finished_at > since),
    )
    return set(work.session.scalars(statement))
