"""Giving a gift its choice back when what was claimed is not to be had after all."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events
from giftpad.gifts.commands import books
from giftpad.gifts.commands.claiming import lock_gift
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.commands.letters import ClaimedGift, ask_again
from giftpad.gifts.commands.withdrawing import withdraw_reminders
from giftpad.gifts.errors import ClaimNotFound, ClaimSent
from giftpad.gifts.events import GiftReopened
from giftpad.gifts.models import ClaimRow
from giftpad.gifts.queries.claims import open_address
from giftpad.gifts.rules.gifts import (
    KEPT_AFTER_END,
    OUTSTANDING,
    PREPARING,
    RECEIVED,
    WITHDRAWN,
)
from giftpad.gifts.rules.orders import CLOSED, SENT
from giftpad.gifts.rules.shipping import GOODS
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work

TIME_TO_CHOOSE = timedelta(days=14)
"""Whoever must choose again has at least so long for it."""


def choose_again(work: Work, claim_id: UUID, *, reason: str) -> None:
    """Withdraw a claim that cannot be fulfilled and ask its recipient to choose once more.

    What it was worth goes back onto the gift, whose last day moves if it is near; what was set
    aside of the goods stays gone, for it is not there.  What travels in no parcel is never taken
    back: a code may have been seen, a donation made.
    Locks: the gift, its account, the order, a reminder of it that waits, the run of that.
    Raises: ClaimNotFound, ClaimSent.
    Publishes: gift.reopened_v1.
    """
    gift_id = work.session.execute(
        sa.select(ClaimRow.gift_id).where(
            ClaimRow.tenant_id == work.tenant_id, ClaimRow.id == claim_id, ClaimRow.kind == GOODS
        )
    ).scalar_one_or_none()
    if gift_id is None:
        raise ClaimNotFound
    gift, order = lock_gift(work, gift_id)
    row = work.session.get(ClaimRow, (work.tenant_id, claim_id), populate_existing=True)
    assert row is not None
    if row.state not in (RECEIVED, PREPARING):
        raise ClaimSent
    address = open_address(row)
    row.state, row.changed_at = WITHDRAWN, work.at
    books.move(
        work,
        "gift_reopen",
        row.value_minor,
        debit_id=books.find(work, books.CLAIMED, gift.order_id),
        credit_id=gift.account_id,
        entry_id=new_id(),
    )
    gift.claimed_minor -= row.value_minor
    gift.state, gift.ended_at = OUTSTANDING, None
    gift.ends_at = max(gift.ends_at, work.at + TIME_TO_CHOOSE)
    gift.delete_after = gift.ends_at + KEPT_AFTER_END
    order = lock_order(work, order.id)
    if order.state == CLOSED:
        order.state, order.closed_at = SENT, None
    withdraw_reminders(work, [gift])  # it would name the day before, and less than there is
    work.session.flush()  # the letter names the gift's new last day
    ask_again(work, ClaimedGift(order=order, gift=gift, claim=row, to=address))
    events.publish(
        work,
        GiftReopened(object_id=gift.id, order_id=gift.order_id, amount_minor=row.value_minor),
    )
    audit.record(
        work,
        action="gift.reopened",
        subject=f"gift:{gift.id}",
        details={"claim": row.number, "reason": reason},
    )
