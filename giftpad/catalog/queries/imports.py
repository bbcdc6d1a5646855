"""Reading imports of products: how far they are, and what is wrong with their lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.catalog.errors import ImportNotFound
from giftpad.catalog.models import ImportFaultRow, ImportRow
from giftpad.catalog.rules.imports import ImportView
from giftpad.kernel.work import Work
from giftpad.sheets import LineFault

FAULTS_PAGE = 1000
IMPORTS_PAGE = 50


def get_import(work: Work, import_id: UUID) -> ImportView:
    """Return how far an import is.

    Raises: ImportNotFound.
    """
    row = work.session.get(ImportRow, (work.tenant_id, import_id), populate_existing=True)
    if row is None:
        raise ImportNotFound
    return _view(row)


def _view(row: ImportRow) -> ImportView:
    return ImportView(
        id=row.id,
        state=row.state,
        file_name=row.file_name,
        good_count=row.good_count,
        fault_count=row.fault_count,
        picture_count=row.picture_count,
        added_count=row.added_count,
        changed_count=row.changed_count,
        unchanged_count=row.unchanged_count,
        taken_count=row.taken_count,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def list_imports(work: Work, *, limit: int = IMPORTS_PAGE) -> list[ImportView]:
    """Return the newest imports."""
    statement = (
        sa.select(ImportRow)
        .where(ImportRow.tenant_id == work.tenant_id)
        .order_by(ImportRow.id.desc())
        .limit(min(limit, IMPORTS_PAGE))
    )
    return [_view(row) for row in work.session.scalars(statement)]


def list_faults(
    work: Work, import_id: UUID, *, after_seq: int = 0, limit: int = FAULTS_PAGE
) -> Sequence[LineFault]:
    """Return what is wrong with an imported file, in the order of its lines."""
    statement = (
        sa.select(ImportFaultRow)
        .where(
            ImportFaultRow.tenant_id == work.tenant_id,
            ImportFaultRow.import_id == import_id,
            ImportFaultRow.seq > after_seq,
        )
        .order_by(ImportFaultRow.seq)
        .limit(min(limit, FAULTS_PAGE))
    )
    return [
        LineFault(line=row.line, column=row.column, code=row.code, params=row.params)
        for row in work.session.scalars(statement)
    ]


def find_open_imports(work: Work, import_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these imports that have not ended."""
    statement = sa.select(ImportRow.id).where(
        ImportRow.tenant_id == work.tenant_id,
        ImportRow.id.in_(import_ids),
        ImportRow.finished_at.is_(None),
    )
    return set(work.session.scalars(statement))


def list_left_pictures(work: Work, kept: Collection[UUID], *, added_before: datetime) -> set[UUID]:
    """Return those of these pictures that no product shows and that were added long ago."""
    statement = sa.text("""
        SELECT kept.id FROM unnest(CAST(:kept AS uuid[])) AS kept (id)
        WHERE NOT EXISTS (
            SELECT FROM catalog_products p
            WHERE p.tenant_id = :tenant AND kept.id = ANY (p.picture_ids)
        ) AND NOT EXISTS (
            SELECT FROM catalog_pictures young WHERE young.tenant_id = :tenant
                AND young.id = kept.id AND young.added_at >= :added_before
        )
    """)
    values = {"kept": list(kept), "tenant": work.tenant_id, "added_before": added_before}
    return set(work.session.scalars(statement, values))
