"""What a provider tells of a message afterwards, written down once."""

from __future__ import annotations

from giftpad import tenancy
from giftpad.kernel.ids import tag_of
from giftpad.kernel.seal import SealBroken
from giftpad.kernel.work import Work
from giftpad.messaging.commands.fates import close, lock_message
from giftpad.messaging.commands.suppressions import stopped_address, suppress
from giftpad.messaging.models import MessageRow, message_place
from giftpad.messaging.rules import receipts, suppressions
from giftpad.messaging.rules.receipts import Receipt
from giftpad.messaging.rules.sending import (
    BOUNCED,
    DELIVERED,
    OPEN,
    SENT,
    UNKNOWN,
)


def tenant_of_receipt(receipt: Receipt) -> tenancy.Tenant | None:
    """Return the tenant whose message a receipt is about: its id carries the tenant's tag."""
    return tenancy.find_tenant_by_tag(tag_of(receipt.message_id))


def note_receipt(work: Work, receipt: Receipt) -> bool:
    """Write down what became of a message; False if that was known, or there is no such message.

    A receipt may come before the answer to the sending, or for one whose answer was lost: it shows
    that the message was taken.
    Locks: the message, its run.
    Publishes: message.delivered_v1 or message.bounced_v1, with a reference.
    """
    row = lock_message(work, receipt.message_id)
    if row is None or (row.state in OPEN and not row.attempts):
        return False
    state = {receipts.DELIVERED: DELIVERED, receipts.BOUNCED: BOUNCED}.get(receipt.status)
    reason = {
        receipts.COMPLAINED: suppressions.COMPLAINED,
        receipts.UNSUBSCRIBED: suppressions.UNSUBSCRIBED,
    }.get(receipt.status)
    is_new = False
    if state is not None and _may_become(row.state, state):
        row.provider_id = row.provider_id or receipt.provider_id
        row.sent_at = row.sent_at or work.at
        close(work, row, state, is_permanent=receipt.is_permanent)
        is_new = True
    if receipt.status == receipts.BOUNCED and receipt.is_permanent and is_new:
        reason = suppressions.BOUNCED
    return _suppress(work, row, reason) or is_new if reason else is_new


def _may_become(before: str, after: str) -> bool:
    """Whether a receipt changes anything: what bounced after all was never delivered."""
    if after == DELIVERED:
        return before in (*OPEN, SENT, UNKNOWN)
    return before in (*OPEN, SENT, UNKNOWN, DELIVERED)


def _suppress(work: Work, row: MessageRow, reason: str) -> bool:
    place = message_place(row.tenant_id, row.id, "recipient_sealed")
    try:
        address = tenancy.open_text(row.tenant_id, place, row.recipient_sealed)
    except SealBroken:
        return False
    return suppress(work, stopped_address(work, row.channel, address, reason))
