"""What there is of a product: shown or hidden, how many are left, the codes of a digital one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.catalog.commands.taking import CODE_COLUMN, CODE_TABLE
from giftpad.catalog.errors import CountedByCodes, NotDigital, ProductNotFound
from giftpad.catalog.models import DigitalCodeRow, ProductRow, VariantRow
from giftpad.kernel.ids import new_id
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Work

CODES_CHUNK = 1000


def set_state(work: Work, product_id: UUID, *, is_active: bool) -> bool:
    """Offer a product or hide it; False if it was so already.  What was taken stays taken.

    Locks: the product.
    Raises: ProductNotFound.
    """
    row = work.session.scalars(
        sa.select(ProductRow)
        .where(ProductRow.tenant_id == work.tenant_id, ProductRow.id == product_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise ProductNotFound
    state = "active" if is_active else "hidden"
    if row.state == state:
        return False
    row.state, row.changed_at = state, work.at
    work.session.flush()  # what is asked in this transaction reads past the session
    action = "product.shown" if is_active else "product.hidden"
    audit.record(work, action=action, subject=f"product:{product_id}", details={"code": row.code})
    return True


def set_stock(work: Work, variant_id: UUID, *, stock: int | None, daily_limit: int | None) -> None:
    """Say how many of a variant are left and how many may be taken a day; None is without end.

    Locks: the variant.
    Raises: ProductNotFound, CountedByCodes if the stock of a digital product would change.
    """
    row, product = _lock_variant(work, variant_id)
    if product.kind == "digital" and stock != row.stock:
        raise CountedByCodes
    given = {"code": row.code, "stock": stock, "daily_limit": daily_limit}
    details = {name: value for name, value in given.items() if value is not None}
    row.stock, row.daily_limit = stock, daily_limit
    work.session.flush()  # what is asked in this transaction reads past the session
    audit.record(work, action="product.stock_set", subject=f"product:{product.id}", details=details)


def add_codes(work: Work, variant_id: UUID, codes: Sequence[str]) -> int:
    """Add codes to a digital product, sealed, and return how many are new.

    One that the tenant has already is passed over, so a file may be handed in twice.
    Locks: the variant.
    Raises: ProductNotFound, NotDigital.
    """
    row, product = _lock_variant(work, variant_id)
    if product.kind != "digital":
        raise NotDigital
    added = 0
    wanted = list(dict.fromkeys(codes))
    for start in range(0, len(wanted), CODES_CHUNK):
        values = [_code_values(work, row.id, code) for code in wanted[start : start + CODES_CHUNK]]
        statement = insert(DigitalCodeRow).values(values)
        statement = statement.on_conflict_do_nothing(index_elements=["tenant_id", "code_index"])
        added += len(work.session.execute(statement.returning(DigitalCodeRow.id)).all())
    row.stock = (row.stock or 0) + added
    work.session.flush()  # what is asked in this transaction reads past the session
    details = {"code": row.code, "added": added, "known": len(wanted) - added}
    audit.record(
        work, action="product.codes_added", subject=f"product:{product.id}", details=details
    )
    return added


def _code_values(work: Work, variant_id: UUID, code: str) -> dict[str, Any]:
    code_id = new_id()
    place = column_place(work.tenant_id, CODE_TABLE, CODE_COLUMN, code_id)
    return {
        "tenant_id": work.tenant_id,
        "id": code_id,
        "variant_id": variant_id,
        "code_sealed": tenancy.seal_text(work.tenant_id, place, code),
        "code_index": tenancy.index_text(work.tenant_id, f"{CODE_TABLE}:{code}"),
        "added_at": work.at,
    }


def _lock_variant(work: Work, variant_id: UUID) -> tuple[VariantRow, ProductRow]:
    statement = (
        sa.select(VariantRow)
        .where(VariantRow.tenant_id == work.tenant_id, VariantRow.id == variant_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    row = work.session.scalars(statement).one_or_none()
    if row is None:
        raise ProductNotFound
    product = work.session.get(ProductRow, (work.tenant_id, row.product_id))
    assert product is not None
    return row, product
