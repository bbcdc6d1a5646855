"""Finding what is kept for somebody."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.catalog.errors import ChoiceNotFound
from giftpad.catalog.models import TakingRow, VariantRow
from giftpad.catalog.queries.products import get_product
from giftpad.catalog.rules.goods import Taken
from giftpad.kernel.work import Work


def get_taken(work: Work, for_id: UUID) -> Taken:
    """Return what is kept for ``for_id``.

    Raises: ChoiceNotFound if nothing is.
    """
    its_variant = sa.and_(
        VariantRow.tenant_id == TakingRow.tenant_id, VariantRow.id == TakingRow.variant_id
    )
    statement = (
        sa.select(TakingRow.variant_id, VariantRow.product_id)
        .join(VariantRow, its_variant)
        .where(
            TakingRow.tenant_id == work.tenant_id,
            TakingRow.for_id == for_id,
        )
    )
    row = work.session.execute(statement).one_or_none()
    if row is None:
        raise ChoiceNotFound
    product = get_product(work, row.product_id)
    (variant,) = (each for each in product.variants if each.id == row.variant_id)
    return Taken(
        product=product,
        variant=variant,
        supplier=product.supplier,
        kind=product.kind,
        lead_days=product.lead_days,
    )
