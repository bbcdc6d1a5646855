"""Taking an amount once for a reading, and learning what came of it when an answer was lost.

Hides: how a reading is closed, so that a sending that is under way still cannot pay afterwards.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from giftpad import guard, payments
from giftpad.kernel.errors import DomainError, Unavailable
from giftpad.kernel.work import unit_of_work
from giftpad.portals.numbers import read_whole
from giftpad.portals.shop import refusals
from giftpad.portals.shop.readings import Reading, this_shop
from giftpad.portals.shop.refusals import Refusal, refusal_by, refusal_of

AMOUNT_DIGITS_MAX = 7
GONE = 410
Told = Literal["", "first", "other"]
"""That it was taken now, by the first sending of it, or for another amount than asked now."""

_CLOSED = b"giftpad: a reading that is over"


class NotTaken(Exception):
    """Nothing was taken, and this is why; ``is_closed`` if the reading pays no more either."""

    def __init__(self, refusal: Refusal, *, is_closed: bool = False) -> None:
        super().__init__(refusal.code)
        self.refusal, self.is_closed = refusal, is_closed


def read_amount(typed: str) -> int | None:
    """Read an amount as people type it; None if it is none that a shop can take."""
    amount = read_whole(typed)
    return amount if amount is not None and 0 < amount < 10**AMOUNT_DIGITS_MAX else None


def take_once(held: Reading, amount_minor: int, *, is_again: bool) -> tuple[UUID, Told]:
    """Take an amount for a reading, or return the payment that came of it before.

    ``is_again`` if an earlier sending of the same may have been lost on its way.
    Raises: NotTaken, StillRunning, Busy, DatabaseAway, TooManyFailures.
    """
    if not held.is_fresh:
        return _settle(held, amount_minor)
    first = payments.find_paid(held.scope, held.key) if is_again else None
    try:
        paid = payments.pay(held.scope, _order(held, amount_minor))
    except guard.KeyReused:
        return _settle(held, amount_minor)
    except (Unavailable, guard.StillRunning):
        raise
    except DomainError as error:
        if is_again:
            # The sending whose answer was lost may be under way still: it must not pay any more.
            closed = _close(held)
            if closed is not None:
                return closed.id, "first"
        raise NotTaken(refusal_by(error), is_closed=is_again) from error
    return paid.id, "" if first is None else "first"


def _order(held: Reading, amount_minor: int) -> payments.PayOrder:
    body = f"{held.key} {held.locator} {amount_minor}".encode()
    return payments.PayOrder(
        kind="coupon",
        locator=held.locator,
        shop_id=this_shop(),
        amount_minor=amount_minor,
        key=held.key,
        request_hash=guard.request_hash("POST", "/shop/pay", body),
    )


def _settle(held: Reading, amount_minor: int) -> tuple[UUID, Told]:
    """Return what a reading has paid that can pay no more.

    Raises: NotTaken, StillRunning.
    """
    paid = _close(held)
    if paid is None:
        raise NotTaken(refusal_of(refusals.READING_OVER, {}))
    return paid.id, "first" if paid.amount_minor == amount_minor else "other"


def _close(held: Reading) -> payments.PaymentView | None:
    """Make sure that a reading never pays from now on; return what it has paid already.

    Raises: StillRunning, while it is just paying.
    """
    try:
        with unit_of_work(held.scope) as work:
            if guard.once(work, held.key, _CLOSED) is None:
                guard.remember(work, held.key, guard.Answer(GONE, {}))
    except guard.KeyReused:
        return payments.find_paid(held.scope, held.key)
    return None
