"""Booking what ended coupons still hold as breakage."""

from __future__ import annotations

import sqlalchemy as sa

from giftpad import audit, events, payments
from giftpad.coupons.events import BatchExpired, CouponsExpired
from giftpad.coupons.models import CouponBatch
from giftpad.coupons.rules import CHUNK_COUNT_MAX, ISSUING, ORDERED
from giftpad.kernel.work import Work


def expire_step(work: Work) -> bool:
    """Drain up to one chunk of one batch whose coupons have ended; False if there is none.

    Repeating it moves nothing twice: how far a batch is drained is kept with it.
    Locks: the batch, passing over those that another worker is at; then the accounts.
    Publishes: coupon_range.expired_v1, and coupon_batch.expired_v1 when the batch is through.
    """
    batch = work.session.execute(
        sa.select(CouponBatch)
        .where(
            CouponBatch.tenant_id == work.tenant_id,
            CouponBatch.expired_at.is_(None),
            CouponBatch.ends_at <= work.at,
            CouponBatch.state.not_in((ORDERED, ISSUING)),
        )
        .order_by(CouponBatch.ends_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if batch is None:
        return False
    after = batch.locator_first - 1 if batch.drained_to is None else batch.drained_to
    drained = payments.drain_terms(
        work,
        batch.terms_id,
        after,
        last_locator=batch.locator_first + batch.quantity - 1,
        limit=CHUNK_COUNT_MAX,
    )
    batch.drained_minor += drained.total_minor
    if drained.total_minor:
        _tell(work, batch, drained)
    if drained.last_locator is not None:
        batch.drained_to = drained.last_locator
        return True
    batch.expired_at = work.at
    events.publish(work, BatchExpired(object_id=batch.id, total_minor=batch.drained_minor))
    audit.record(
        work,
        action="coupon_batch.expired",
        subject=f"coupon_batch:{batch.id}",
        details={"total_minor": batch.drained_minor},
    )
    return True


def _tell(work: Work, batch: CouponBatch, drained: payments.Drained) -> None:
    events.publish(
        work,
        CouponsExpired(
            object_id=batch.id,
            programme_id=batch.programme_id,
            unit=batch.unit,
            count=drained.count,
            amount_minor=drained.total_minor,
            at=work.at,
        ),
    )
