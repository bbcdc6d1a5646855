"""The tables of coupons and the finding of their rows."""

from giftpad.coupons.models.tables import (
    CouponBatch,
    CouponChunk,
    CouponReplacement,
    CouponSerials,
    CouponVolume,
)

__all__ = ["CouponBatch", "CouponChunk", "CouponReplacement", "CouponSerials", "CouponVolume"]
