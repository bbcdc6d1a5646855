"""What a screen shows of a coupon that is on no paper.

Hides: how its codes are written anew; they lie nowhere, and whoever holds one can spend it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from giftpad.coupons.adapters.press import unwrap_key
from giftpad.coupons.errors import CouponNotFound
from giftpad.coupons.models import CouponBatch
from giftpad.coupons.models.finding import require_coupon_at
from giftpad.kernel.codes import build_qr, build_typed, group_typed
from giftpad.kernel.work import Work
from giftpad.payments import qr_key
from giftpad.tenancy import find_ring_key, get_tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The codes of a coupon; ``typed_code`` is empty once its key is destroyed."""

    serial: str
    qr_text: str = field(repr=False)
    typed_code: str = field(repr=False)


def get_screen(work: Work, locator: int) -> Screen:
    """Return the codes of a paperless coupon, for its holder and nobody else.

    That whoever asks is the holder is the caller's matter.
    Raises: CouponNotFound, also for what is on paper.
    """
    found = require_coupon_at(work, locator)
    batch = found.batch
    ring_key = find_ring_key(work.tenant_id, batch.kid)
    if not batch.is_paperless or ring_key is None:
        raise CouponNotFound
    tag = get_tenant(work.tenant_id).tag
    typed = "" if batch.batch_key is None else build_typed(unwrap_key(batch), locator)
    return Screen(
        serial=found.serial,
        qr_text=build_qr(batch.address, qr_key(ring_key.key), batch.kid, tag, locator=locator),
        typed_code=group_typed(typed) if typed else "",
    )


def sum_paperless(work: Work) -> dict[UUID, int]:
    """Return the value that each programme has issued on no paper."""
    rows = work.session.execute(
        sa.select(CouponBatch.programme_id, sa.func.sum(CouponBatch.face_value_minor))
        .where(CouponBatch.tenant_id == work.tenant_id, CouponBatch.is_paperless)
        .group_by(CouponBatch.programme_id)
    )
    return {programme_id: int(amount) for programme_id, amount in rows}
