"""Handing in a file of products, and saying that it is to be taken; the reading is a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events
from giftpad.catalog.adapters import drop_file, keep_file
from giftpad.catalog.errors import (
    CatalogueEmpty,
    CatalogueTooLarge,
    ImportNotFound,
    ImportNotReady,
)
from giftpad.catalog.events import CatalogImportConfirmed, CatalogImportOrdered
from giftpad.catalog.models import ImportRow
from giftpad.catalog.rules.imports import IMPORT_SIZE_MAX
from giftpad.kernel.db import DatabaseAway
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work

GIVEN_UP_MAX = 1000
FILE_NAME_LENGTH_MAX = 200
_MEGABYTE = 1024 * 1024
_COUNTS = ("good", "fault", "picture", "added", "changed", "unchanged", "taken")


@dataclass(slots=True, kw_only=True)
class KeptFile:
    """A file of products in the file store, for an import that is ordered with it or not."""

    id: UUID
    name: str
    size: int
    is_ordered: bool = False


@contextmanager
def kept_file(scope: Scope, name: str, data: bytes) -> Iterator[KeptFile]:
    """Keep a file of products, and drop it again if no import of it was ordered inside.

    No transaction may be open: a slow file store would hold its connection and its locks.
    Raises: CatalogueEmpty, CatalogueTooLarge.
    """
    if not data:
        raise CatalogueEmpty
    if len(data) > IMPORT_SIZE_MAX:
        raise CatalogueTooLarge(most_mb=IMPORT_SIZE_MAX // _MEGABYTE)
    shown = "".join(each for each in name if each.isprintable())[-FILE_NAME_LENGTH_MAX:]
    kept = KeptFile(id=new_id(), name=shown, size=len(data))
    # A row without its file would be an import that can never run, so the file comes first.
    keep_file(scope.tenant_id, kept.id, data)
    is_needed = False
    try:
        yield kept
        is_needed = kept.is_ordered
    except DatabaseAway:
        is_needed = True  # Nobody knows whether the order was committed.
        raise
    finally:
        if not is_needed:
            drop_file(scope.tenant_id, kept.id)


def order_import(work: Work, kept: KeptFile) -> UUID:
    """Have a kept file of products checked, and return the id of its import.

    Publishes: catalog_import.ordered_v1.
    """
    work.session.execute(
        insert(ImportRow).values(
            tenant_id=work.tenant_id,
            id=kept.id,
            state="ordered",
            file_name=kept.name,
            size=kept.size,
            **{f"{count}_count": 0 for count in _COUNTS},
            ordered_by=f"{work.scope.actor.kind}:{work.scope.actor.id}",
            created_at=work.at,
        )
    )
    events.publish(work, CatalogImportOrdered(object_id=kept.id))
    audit.record(
        work,
        action="catalog_import.ordered",
        subject=f"catalog_import:{kept.id}",
        details={"size": kept.size},
    )
    kept.is_ordered = True
    return kept.id


def take_import(work: Work, import_id: UUID) -> None:
    """Have what is right in a checked file taken in.

    Locks: the import.
    Raises: ImportNotFound, ImportNotReady.
    Publishes: catalog_import.confirmed_v1.
    """
    row = hold_import(work, import_id)
    if row.state != "checked":
        raise ImportNotReady(state=row.state)
    row.state = "taking"
    row.ordered_by = f"{work.scope.actor.kind}:{work.scope.actor.id}"
    events.publish(work, CatalogImportConfirmed(object_id=import_id))
    audit.record(
        work,
        action="catalog_import.confirmed",
        subject=f"catalog_import:{import_id}",
        details={"good": row.good_count, "fault": row.fault_count},
    )


def hold_import(work: Work, import_id: UUID) -> ImportRow:
    """Hold the row of an import.

    Raises: ImportNotFound.
    """
    statement = (
        sa.select(ImportRow)
        .where(ImportRow.tenant_id == work.tenant_id, ImportRow.id == import_id)
        .with_for_update()
    )
    row = work.session.scalars(statement).one_or_none()
    if row is None:
        raise ImportNotFound
    return row


def give_up_imports(work: Work, ordered_before: datetime) -> set[UUID]:
    """Refuse imports that were ordered before an instant and never ended; return which.

    Locks: the imports; one that is being read right now is left alone.
    """
    rows = work.session.scalars(
        sa.select(ImportRow)
        .where(
            ImportRow.tenant_id == work.tenant_id,
            ImportRow.finished_at.is_(None),
            ImportRow.created_at < ordered_before,
        )
        .order_by(ImportRow.id)
        .limit(GIVEN_UP_MAX)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        finish_import(work, row, "refused")
    return {row.id for row in rows}


def finish_import(work: Work, row: ImportRow, state: str) -> None:
    """End an import, and put on record what it did."""
    row.state, row.finished_at = state, work.at
    counts = ("good", "fault", "picture", "added", "changed", "unchanged")
    audit.record(
        work,
        action=f"catalog_import.{state}",
        subject=f"catalog_import:{row.id}",
        details={count: getattr(row, f"{count}_count") for count in counts},
    )
