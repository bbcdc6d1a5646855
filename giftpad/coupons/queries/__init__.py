"""Reading batches and coupons as they are shown; but for screens nothing here carries a code."""

from giftpad.coupons.queries.attention import Attention, list_attention
from giftpad.coupons.queries.batches import (
    find_first_serials,
    get_batch,
    list_batches,
    list_due_prints,
    list_manifest,
)
from giftpad.coupons.queries.coupons import (
    CouponView,
    find_coupon_by_code,
    get_coupon,
    get_coupon_by_locator,
    get_live_coupon,
)
from giftpad.coupons.queries.history import HistoryLine, list_history
from giftpad.coupons.queries.screens import Screen, get_screen, sum_paperless
from giftpad.coupons.queries.unreleased import sum_unreleased

__all__ = [
    "Attention",
    "CouponView",
    "HistoryLine",
    "Screen",
    "find_coupon_by_code",
    "find_first_serials",
    "get_batch",
    "get_coupon",
    "get_coupon_by_locator",
    "get_live_coupon",
    "get_screen",
    "list_attention",
    "list_batches",
    "list_due_prints",
    "list_history",
    "list_manifest",
    "sum_paperless",
    "sum_unreleased",
]
