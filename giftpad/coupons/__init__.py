"""Paper coupons: batches of them from the order to the end of their life.

Knows: serials, batches, volumes, release, blocking, replacement, expiry, how long a print is kept.
Hides: keys and codes, chunks, the sealing and checking of print files.
Does not know: how a payment is made, how paper is drawn, HTTP, queues.
"""

from giftpad.coupons.adapters.press import PrintTicket, bind_print_shop
from giftpad.coupons.commands import (
    block,
    destroy_print,
    open_pdf,
    order_batch,
    read_pdf,
    release,
    replace,
    reprint,
    unblock,
)
from giftpad.coupons.events import (
    BatchExpired,
    BatchFailed,
    BatchOrdered,
    BatchReady,
    BatchReleased,
    ChunkDue,
    CouponReplaced,
    CouponsBlocked,
    CouponsUnblocked,
    PrintDestroyed,
    VolumeDue,
)
from giftpad.coupons.queries import CouponView, get_batch, get_coupon, list_batches, list_manifest
from giftpad.coupons.rules import BatchOrder, BatchView, ManifestLine, VolumeView

__all__ = [
    "BatchExpired",
    "BatchFailed",
    "BatchOrder",
    "BatchOrdered",
    "BatchReady",
    "BatchReleased",
    "BatchView",
    "ChunkDue",
    "CouponReplaced",
    "CouponView",
    "CouponsBlocked",
    "CouponsUnblocked",
    "ManifestLine",
    "PrintDestroyed",
    "PrintTicket",
    "VolumeDue",
    "VolumeView",
    "bind_print_shop",
    "block",
    "destroy_print",
    "get_batch",
    "get_coupon",
    "list_batches",
    "list_manifest",
    "open_pdf",
    "order_batch",
    "read_pdf",
    "release",
    "replace",
    "reprint",
    "unblock",
]
