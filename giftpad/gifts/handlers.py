"""Reactions: issue what is due, note how letters went."""

from __future__ import annotations

from giftpad.events import detached
from giftpad.gifts.commands.issuing import issue_chunk, pass_on
from giftpad.gifts.events import GiftsDue
from giftpad.gifts.rules.orders import CHUNKS_A_DELIVERY
from giftpad.kernel.work import Scope, unit_of_work

ISSUE_PATIENCE_S = 60


@detached
def issue_due_gifts(scope: Scope, event: GiftsDue) -> None:
    """Issue the next gifts of an order, a transaction a chunk, and pass the rest on."""
    for _ in range(CHUNKS_A_DELIVERY):
        with unit_of_work(scope, patience_s=ISSUE_PATIENCE_S) as work:
            if not issue_chunk(work, event.object_id):
                return
    with unit_of_work(scope) as work:
        pass_on(work, event.object_id)
