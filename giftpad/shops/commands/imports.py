"""Handing in a file of shops; the reading of it is a job."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work
from giftpad.shops.adapters import keep_file
from giftpad.shops.commands.rows import recorded_by, refuse_bound
from giftpad.shops.errors import ImportEmpty, ImportTooLarge
from giftpad.shops.events import ShopImportOrdered
from giftpad.shops.models import ImportRow
from giftpad.shops.rules.imports import IMPORT_SIZE_MAX

_COUNTS = ("good", "bad", "fault", "enrolled", "changed", "unchanged")


def order_import(
    work: Work, data: bytes, *, is_partial: bool = False, is_dry: bool = False
) -> UUID:
    """Take in a file of shops and return the id of its import.

    One fault keeps the whole file out, unless ``is_partial``: then the good lines are taken.
    ``is_dry`` checks and takes nothing.
    Raises: ImportEmpty, ImportTooLarge, BoundToShop.
    Publishes: shop_import.ordered_v1.
    """
    refuse_bound(work)
    if not data:
        raise ImportEmpty
    if len(data) > IMPORT_SIZE_MAX:
        raise ImportTooLarge(size=len(data), most=IMPORT_SIZE_MAX)
    import_id = new_id()
    # The file comes first: a row without its file would be an import that can never run, while
    # a file without its row is only a file too many.
    keep_file(work.tenant_id, import_id, data)
    work.session.execute(
        insert(ImportRow).values(
            tenant_id=work.tenant_id,
            id=import_id,
            state="ordered",
            is_partial=is_partial,
            is_dry=is_dry,
            size=len(data),
            **{f"{count}_count": 0 for count in _COUNTS},
            taken_line=0,
            ordered_by=recorded_by(work),
            created_at=work.at,
        )
    )
    events.publish(work, ShopImportOrdered(object_id=import_id))
    details = {"size": len(data), "is_partial": is_partial, "is_dry": is_dry}
    audit.record(
        work, action="shop_import.ordered", subject=f"shop_import:{import_id}", details=details
    )
    return import_id
