"""The verbs of coupons."""

from giftpad.coupons.commands.expire import expire_step
from giftpad.coupons.commands.issue import issue_chunk, start_chunk
from giftpad.coupons.commands.order import order_batch, specimen
from giftpad.coupons.commands.paperless import Paperless, PaperlessOrder, issue_paperless
from giftpad.coupons.commands.prints import (
    CLAIM,
    Outcome,
    finish_volume,
    mark_verifying,
    renew_claim,
    reprint,
    start_volume,
)
from giftpad.coupons.commands.release import (
    PreviewTicket,
    destroy_print,
    forget_files,
    open_pdf,
    open_preview,
    preview_page,
    read_pdf,
    release,
)
from giftpad.coupons.commands.replace import replace
from giftpad.coupons.commands.stop import block, unblock

__all__ = [
    "CLAIM",
    "Outcome",
    "Paperless",
    "PaperlessOrder",
    "PreviewTicket",
    "block",
    "destroy_print",
    "expire_step",
    "finish_volume",
    "forget_files",
    "issue_chunk",
    "issue_paperless",
    "mark_verifying",
    "open_pdf",
    "open_preview",
    "order_batch",
    "preview_page",
    "read_pdf",
    "release",
    "renew_claim",
    "replace",
    "reprint",
    "specimen",
    "start_chunk",
    "start_volume",
    "unblock",
]
