"""Handing in a file of shops; the reading of it is a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events
from giftpad.kernel.db import DatabaseAway
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work
from giftpad.shops.adapters import drop_file, keep_file
from giftpad.shops.commands.rows import recorded_by, refuse_bound
from giftpad.shops.errors import ImportEmpty, ImportTooLarge
from giftpad.shops.events import ShopImportOrdered
from giftpad.shops.models import ImportRow
from giftpad.shops.rules.imports import IMPORT_SIZE_MAX

GIVEN_UP_MAX = 1000
_COUNTS = ("good", "bad", "fault", "enrolled", "changed", "unchanged")


@dataclass(slots=True, kw_only=True)
class KeptFile:
    """A file of shops in the file store, for an import that is ordered with it or not."""

    id: UUID
    size: int
    is_ordered: bool = False


@contextmanager
def kept_file(scope: Scope, data: bytes) -> Iterator[KeptFile]:
    """Keep a file of shops, and drop it again if no import of it was ordered inside.

    No transaction may be open: a slow file store would hold its connection and its locks.
    Raises: ImportEmpty, ImportTooLarge.
    """
    if not data:
        raise ImportEmpty
    if len(data) > IMPORT_SIZE_MAX:
        raise ImportTooLarge(size=len(data), most=IMPORT_SIZE_MAX)
    kept = KeptFile(id=new_id(), size=len(data))
    # The file comes first: a row without its file would be an import that can never run, while
    # a file without its row is only a file too many.
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


def order_import(
    work: Work, kept: KeptFile, *, is_partial: bool = False, is_dry: bool = False
) -> UUID:
    """Order the import of a kept file of shops and return its id.

    One fault keeps the whole file out, unless ``is_partial``: then the good lines are taken.
    ``is_dry`` checks and takes nothing.
    Raises: BoundToShop.
    Publishes: shop_import.ordered_v1.
    """
    refuse_bound(work)
    import_id = kept.id
    work.session.execute(
        insert(ImportRow).values(
            tenant_id=work.tenant_id,
            id=import_id,
            state="ordered",
            is_partial=is_partial,
            is_dry=is_dry,
            size=kept.size,
            **{f"{count}_count": 0 for count in _COUNTS},
            taken_line=0,
            ordered_by=recorded_by(work),
            created_at=work.at,
        )
    )
    events.publish(work, ShopImportOrdered(object_id=import_id))
    details = {"size": kept.size, "is_partial": is_partial, "is_dry": is_dry}
    audit.record(
        work, action="shop_import.ordered", subject=f"shop_import:{import_id}", details=details
    )
    kept.is_ordered = True
    return import_id


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
        row.state, row.finished_at = "refused", work.at
        audit.record(
            work,
            action="shop_import.refused",
            subject=f"shop_import:{row.id}",
            details={"good": row.good_count, "bad": row.bad_count, "fault": row.fault_count},
        )
    return {row.id for row in rows}
