"""The alias of one coupon, as payments keep it."""

from __future__ import annotations

from giftpad import payments
from giftpad.coupons.errors import CouponNotFound
from giftpad.coupons.models.finding import Found
from giftpad.kernel.work import Work


def require_instrument(work: Work, found: Found) -> payments.InstrumentView:
    """Return the alias of a coupon.

    Raises: CouponNotFound, if its chunk has not been issued yet.
    """
    instruments = payments.get_instruments(work, found.locator, found.locator)
    if not instruments:
        raise CouponNotFound
    return instruments[0]
