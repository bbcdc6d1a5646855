"""Starting an order again from the place it has reached, when something has stopped it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, messaging
from giftpad.gifts.commands.deciding import start_issuing
from giftpad.gifts.commands.drafting import lock_order
from giftpad.gifts.errors import NothingToRedrive
from giftpad.gifts.events import CardsDue, GiftsDue
from giftpad.gifts.models import GiftRow, OrderRow, PrintRow
from giftpad.gifts.queries.troubles import get_open_order, stuck_print
from giftpad.gifts.rules import cards
from giftpad.gifts.rules.gifts import FAILED, OUTSTANDING, QUEUED, UNKNOWN
from giftpad.gifts.rules.troubles import (
    CARDS_MISSING,
    LETTERS_FAILED,
    LETTERS_UNKNOWN,
    LETTERS_WAIT,
    NOT_ISSUING,
    NOT_STARTED,
)
from giftpad.kernel.work import Work

LETTERS_MAX = 200
"""Letters that one press sends again; another press sends the next."""


def redrive_order(work: Work, order_id: UUID, *, reason: str) -> Mapping[str, int]:
    """Start again whatever of an order has stopped; return how much that is, by trouble.

    Nothing is done twice by it: an order goes on where it stands, a gift that is issued is issued,
    a letter of which nobody knows is asked after at its provider before it is sent.
    Locks: the order, the gifts whose letter failed, the letters, the order's files of cards.
    Raises: OrderNotFound, NothingToRedrive.
    Publishes: gift_order.gifts_due_v1, gift_print.cards_due_v1, what ``messaging.retry`` does.
    """
    order = lock_order(work, order_id)
    held = _hold_letters(work, order)
    done: dict[str, int] = {}
    for trouble in get_open_order(work, order_id).troubles:
        act = _ACTS.get(trouble.code)
        count = act(work, order, held) if act is not None else 0
        if count:
            done[trouble.code] = count
    if not done:
        raise NothingToRedrive
    audit.record(
        work,
        action="gift_order.redriven",
        subject=f"gift_order:{order_id}",
        details={"number": order.number, "reason": reason, "count": sum(done.values())},
    )
    return done


Held = Mapping[str, Sequence[GiftRow]]
"""Gifts whose letter may be sent again, by how it went."""


def _hold_letters(work: Work, order: OrderRow) -> Held:
    """Hold all letters that may be sent again: once a run is locked, none may be waited for."""
    held = {delivery: _lock_failed(work, order, delivery) for delivery in (FAILED, UNKNOWN)}
    letters = [gift.message_id for gifts in held.values() for gift in gifts if gift.message_id]
    messaging.lock_letters(work, letters)
    return held


def _lock_failed(work: Work, order: OrderRow, delivery: str) -> Sequence[GiftRow]:
    return work.session.scalars(
        sa.select(GiftRow)
        .where(
            GiftRow.tenant_id == work.tenant_id,
            GiftRow.order_id == order.id,
            GiftRow.state == OUTSTANDING,
            GiftRow.delivery == delivery,
            GiftRow.message_id.is_not(None),
        )
        .order_by(GiftRow.id)
        .limit(LETTERS_MAX)
        .with_for_update(skip_locked=True)
    ).all()


def _start(work: Work, order: OrderRow, _held: Held) -> int:
    start_issuing(work, order)
    return 1


def _issue(work: Work, order: OrderRow, _held: Held) -> int:
    order.changed_at = work.at  # whoever presses again finds it on its way
    events.publish(work, GiftsDue(object_id=order.id))
    return order.quantity - order.issued_to


def _wake_letters(work: Work, order: OrderRow, _held: Held) -> int:
    assert order.run_id is not None
    messaging.wake_run(work, order.run_id)
    return 1


def _send_again(delivery: str) -> Callable[[Work, OrderRow, Held], int]:
    def act(work: Work, _order: OrderRow, held: Held) -> int:
        count = 0
        for gift in held[delivery]:
            assert gift.message_id is not None
            with suppress(messaging.MessageWrongState, messaging.MessageNotFound):
                messaging.retry(work, gift.message_id)
                gift.delivery = QUEUED
                count += 1
        return count

    return act


def _print(work: Work, order: OrderRow, _held: Held) -> int:
    rows = work.session.scalars(
        sa.select(PrintRow)
        .where(
            PrintRow.tenant_id == work.tenant_id,
            PrintRow.order_id == order.id,
            stuck_print(work.at),
        )
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state = cards.DUE
        events.publish(work, CardsDue(object_id=row.id))
    return len(rows)


_ACTS: Mapping[str, Callable[[Work, OrderRow, Held], int]] = {
    NOT_STARTED: _start,
    NOT_ISSUING: _issue,
    LETTERS_WAIT: _wake_letters,
    LETTERS_FAILED: _send_again(FAILED),
    LETTERS_UNKNOWN: _send_again(UNKNOWN),
    CARDS_MISSING: _print,
}
