"""How much value is on the books that nobody can spend, because it waits for its release."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.coupons.models import CouponBatch, CouponChunk, CouponReplacement
from giftpad.coupons.rules import DONE
from giftpad.kernel.work import Work


def sum_unreleased(work: Work, programme_id: UUID | None = None) -> int:
    """Return the value of the coupons that are issued, not released and not written off.

    Of one programme, or of all of the tenant.
    """
    issued = (
        sa.select(sa.func.coalesce(sa.func.sum(CouponChunk.quantity), 0))
        .where(
            CouponChunk.tenant_id == CouponBatch.tenant_id,
            CouponChunk.batch_id == CouponBatch.id,
            CouponChunk.state == DONE,
        )
        .scalar_subquery()
    )
    # What took the place of another holds its value, and counts with its own batch.
    replaced = (
        sa.select(sa.func.count())
        .select_from(CouponReplacement)
        .where(
            CouponReplacement.tenant_id == CouponBatch.tenant_id,
            CouponReplacement.old_batch_id == CouponBatch.id,
        )
        .scalar_subquery()
    )
    value = (issued - replaced) * CouponBatch.face_value_minor - CouponBatch.drained_minor
    wanted = [
        CouponBatch.tenant_id == work.tenant_id,
        CouponBatch.released_at.is_(None),
        CouponBatch.expired_at.is_(None),
    ]
    if programme_id is not None:
        wanted.append(CouponBatch.programme_id == programme_id)
    total = work.session.execute(
        sa.select(sa.func.coalesce(sa.func.sum(value), 0)).where(*wanted)
    ).scalar_one()
    return int(total)
