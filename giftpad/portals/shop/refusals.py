"""Refusals as a shop meets them: what to say, why, and the next step of each.

Hides: which refusal of the domain is which screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from giftpad import payments
from giftpad.guard import TooManyFailures
from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import mark

Step = Literal["read", "type", "take", "call", "wait"]
"""What helps: another coupon, the number typed by hand, less money, a call to the office."""


READING_OVER = "reading.over"
READING_OLD = "reading.old"
"""The same to somebody who only looks: whether it paid is settled by asking, not by looking."""
READING_FOREIGN = "reading.foreign"
CODE_SLIP = "instrument.slip"
CODE_SERIAL = "instrument.serial"
CODE_EMPTY = "instrument.empty"
CODE_FOREIGN = "instrument.foreign"
_NOT_FOUND = frozenset(
    {READING_OVER, READING_FOREIGN, CODE_FOREIGN, payments.InstrumentNotFound.code}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal ready to be drawn; sentences are English, ``params`` fill them in."""

    code: str
    heading: str
    help: str = ""
    step: Step = "read"
    params: Mapping[str, object] = field(default_factory=dict)
    take_minor: int | None = None
    """What could be taken instead, where there is something."""

    @property
    def money_moved(self) -> bool | None:
        """Whether money moved; None where this reader may not know."""
        return None if self.code in (READING_FOREIGN, READING_OLD) else False

    @property
    def status(self) -> HTTPStatus:
        """The status that goes with it."""
        if self.code in _NOT_FOUND:
            return HTTPStatus.NOT_FOUND
        if self.step == "wait":
            return HTTPStatus.TOO_MANY_REQUESTS
        return HTTPStatus.UNPROCESSABLE_ENTITY


_SAID: Mapping[str, tuple[str, str, Step]] = {
    "payment.insufficient_balance": (mark("Not enough left"), "", "take"),
    "payment.over_ceiling": (
        mark("Too much at a time"),
        mark("One payment may take {ceiling_minor} at most."),
        "take",
    ),
    "instrument.expired": (
        mark("This coupon has expired"),
        mark("It could be used until {last_day}."),
        "read",
    ),
    "instrument.not_active": (
        mark("This coupon cannot be used yet"),
        mark("It can be used from {first_day}."),
        "read",
    ),
    "instrument.blocked": (
        mark("This coupon has been stopped"),
        mark("Hand it back, and ask the customer to call the office."),
        "call",
    ),
    "instrument.replaced": (
        mark("Replaced by a new coupon"),
        mark("Ask the customer for the new coupon."),
        "read",
    ),
    "payment.wrong_programme": (
        mark("Not valid in this shop"),
        mark("This shop does not take part in this programme."),
        "read",
    ),
    "payment.not_accepted_here": (
        mark("Not valid in this shop"),
        mark("This coupon is for shops of another area."),
        "read",
    ),
    "payment.shop_suspended": (
        mark("This shop is suspended"),
        mark("It takes no coupons now. The office knows why."),
        "call",
    ),
    "payment.unknown_shop": (
        mark("This shop is not enrolled"),
        mark("It takes no coupons now. The office knows why."),
        "call",
    ),
    "payment.other_shop": (
        mark("This reading belongs to another shop"),
        mark("Read the coupon again."),
        "read",
    ),
    "instrument.not_found": (
        mark("This coupon is not recognised"),
        mark("Try the payment number that is printed on it."),
        "type",
    ),
    CODE_FOREIGN: (
        mark("This is not the QR of a coupon"),
        mark("A coupon has one QR. Hold that one inside the frame."),
        "read",
    ),
    CODE_SLIP: (mark("That number does not look right"), mark("Please check it again."), "type"),
    CODE_SERIAL: (
        mark("That number does not look right"),
        mark("That is the No. of the coupon. Type the payment number: the 16 signs."),
        "type",
    ),
    CODE_EMPTY: (
        mark("The number is missing"),
        mark("Type the payment number."),
        "type",
    ),
    READING_OVER: (
        mark("Please read the coupon again"),
        mark("A reading is good for 15 minutes."),
        "read",
    ),
    READING_OLD: (
        mark("Please read the coupon again"),
        mark("A reading is good for 15 minutes. The list of today tells what was paid."),
        "read",
    ),
    READING_FOREIGN: (
        mark("This reading cannot be opened here"),
        mark("Look at Today before you take the money again. Then read the coupon once more."),
        "read",
    ),
    TooManyFailures.code: (
        mark("Please wait a while"),
        mark("Too many codes were wrong. Try again in {retry_after_s} seconds."),
        "wait",
    ),
}
USED_UP = (mark("This coupon is used up"), mark("Nothing is left on it."))
NOT_RELEASED = mark("The office has not released it yet.")
NOTHING_LEFT = "payment.insufficient_balance"


def refusal_of(
    code: str,
    params: Mapping[str, object],
    *,
    sentence: str = "",
) -> Refusal:
    """Return how a shop is told of a refusal; one without words of its own says its sentence."""
    heading, help_, step = _SAID.get(code, (mark("Payment refused"), sentence, "read"))
    balance, ceiling = params.get("balance_minor"), params.get("ceiling_minor")
    take = None
    if code == NOTHING_LEFT and not balance:
        (heading, help_), step = USED_UP, "read"
    elif step == "take":
        offers = [n for n in (balance, ceiling) if isinstance(n, int) and n > 0]
        take = min(offers) if offers else None
    if code == "instrument.not_active" and "first_day" not in params:
        help_ = NOT_RELEASED
    return Refusal(
        code=code, heading=heading, help=help_, step=step, params=params, take_minor=take
    )


def refusal_by(error: DomainError) -> Refusal:
    """Return how a shop is told of what the domain refuses."""
    return refusal_of(error.code, error.params, sentence=error.sentence)


def refusal_in(looked: payments.Looked, *, last_day: str | None, first_day: str | None) -> Refusal:
    """Return how a shop is told of what a look-up refuses; ``first_day`` if it is to come."""
    assert looked.reason is not None
    facts = {
        "balance_minor": looked.balance_minor,
        "ceiling_minor": looked.ceiling_minor,
        "unit": looked.unit,
        "last_day": last_day,
        "first_day": first_day,
    }
    return refusal_of(looked.reason, {n: v for n, v in facts.items() if v is not None})


def refusal_over(looked: payments.Looked, amount_minor: int) -> Refusal | None:
    """Tell that an amount would be refused, before the customer is shown it; None if not."""
    facts = {
        "balance_minor": looked.balance_minor,
        "ceiling_minor": looked.ceiling_minor,
        "unit": looked.unit,
    }
    if looked.ceiling_minor is not None and amount_minor > looked.ceiling_minor:
        return refusal_of("payment.over_ceiling", facts)
    return refusal_of(NOTHING_LEFT, facts) if amount_minor > looked.balance_minor else None
