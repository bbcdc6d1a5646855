"""Letters about gifts, to whoever gets one.

A tenant may have its own words for each; the values are the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from giftpad.kernel.i18n import mark
from giftpad.messaging.rules.wording import LINK_LINE, MESSAGE_LINE, Letter

COLOURS = {"paper": "colour", "ink": "colour", "band": "colour"}
"""Of the design: behind the words, the words themselves, the band and the button."""
_COMMON = {"recipient": "text", "sender": "text", "link": "link"} | COLOURS
_INVITED = _COMMON | {"title": "text", "message": "long", "until_day": "day"}
_REMINDED = _COMMON | {"title": "text", "until_day": "day"}
_CHOSEN = _COMMON | {"number": "text", "product": "text"}
_AMOUNT = {"balance": "text"}
_WAITS = mark("It waits for you until {until_day}:")
_NUMBER = mark("Number: {number}")
_PRODUCT = mark("Product: {product}")
_CHOOSE = mark("{sender} has a gift for you. Choose what you like best, until {until_day}:")
_BALANCE = mark(
    "{sender} has a gift of {balance} for you. Say by {until_day} what you would like for it:"
)


def _letter(
    subject: str,
    lines: tuple[str, ...],
    values: Mapping[str, str],
    *,
    needs: tuple[str, ...],
    button: str,
    optional: frozenset[str] = frozenset(),
    sms: tuple[str, ...] = (),
) -> Letter:
    """Return a letter with what all of them say; one that nobody asked for is also an SMS."""
    dear, sent_for = mark("Dear {recipient},"), mark("Giftpad sends this letter for {sender}.")
    return Letter(
        subject=subject,
        lines=(dear, *lines, sent_for),
        sms=sms,
        values=values,
        optional=optional | frozenset(COLOURS),
        needs=("link", *needs),
        button=button,
        may_be_stopped=bool(sms),
    )


def _invitation(says: str, *, needs: tuple[str, ...], more: dict[str, str]) -> Letter:
    unexpected = mark(
        "You need no account and pay nothing. If you did not expect this, ask {sender}."
    )
    return _letter(
        mark("{title}: a gift from {sender}"),
        (MESSAGE_LINE, says, LINK_LINE, unexpected),
        _INVITED | more,
        needs=needs,
        button=mark("See your gift"),
        optional=frozenset({"message"}),
        sms=(says, LINK_LINE),
    )


GIFT_LETTERS: Mapping[str, Letter] = {
    "gift_invitation": _invitation(_CHOOSE, needs=("message", "until_day"), more={}),
    "gift_balance_invitation": _invitation(
        _BALANCE, needs=("message", "balance", "until_day"), more=_AMOUNT
    ),
    "gift_reminder": _letter(
        mark("Your gift from {sender} waits until {until_day}"),
        (
            mark("You have not chosen your gift from {sender} yet: {title}."),
            _WAITS,
            LINK_LINE,
            mark("After that day it can no longer be chosen."),
        ),
        _REMINDED,
        needs=("until_day",),
        button=mark("See your gift"),
        sms=(mark("Your gift from {sender} waits for you until {until_day}:"), LINK_LINE),
    ),
    "gift_balance_reminder": _letter(
        mark("{balance} from {sender} waits for you until {until_day}"),
        (
            mark("Of your gift from {sender}, {title}, {balance} is not used yet."),
            _WAITS,
            LINK_LINE,
            mark("After that day it can no longer be used."),
        ),
        _REMINDED | _AMOUNT,
        needs=("balance", "until_day"),
        button=mark("See your gift"),
        sms=(mark("{balance} from {sender} waits for you until {until_day}:"), LINK_LINE),
    ),
    "gift_kept": _letter(
        mark("You keep {balance} of your gift from {sender}"),
        (
            mark("You keep {balance}. Shops that take {programme} accept it until {until_day}."),
            _NUMBER,
            mark("Open this where you have kept it, and show the code there in the shop:"),
            LINK_LINE,
            mark("If you lose that phone, tell {sender} the number above. Nothing is lost."),
        ),
        _COMMON | _AMOUNT | {"programme": "text", "number": "text", "until_day": "day"},
        needs=("balance", "programme", "number", "until_day"),
        button=mark("Show your balance"),
    ),
    "gift_received": _letter(
        mark("We have your choice, number {number}"),
        (
            mark("Thank you for choosing. This is what we have written down:"),
            _PRODUCT,
            _NUMBER,
            mark("Where it goes:\n{address}"),
            mark(
                "It arrives around {expected_day}. Until it is made ready you can change "
                "where it goes."
            ),
            mark("Here you see what you have chosen:"),
            LINK_LINE,
        ),
        _CHOSEN | {"address": "long", "expected_day": "day"},
        needs=("number", "product", "address"),
        button=mark("See your choice"),
        optional=frozenset({"address", "expected_day"}),
    ),
    "gift_shipped": _letter(
        mark("Your gift is on its way, number {number}"),
        (
            mark("Your gift from {sender} is on its way to you."),
            _PRODUCT,
            _NUMBER,
            mark("Carrier: {carrier}"),
            mark("Tracking number: {tracking}"),
            mark("Here you see how far it is:"),
            LINK_LINE,
        ),
        _CHOSEN | {"carrier": "text", "tracking": "text"},
        needs=("number", "product", "carrier", "tracking"),
        button=mark("See your gift"),
        optional=frozenset({"carrier", "tracking"}),
    ),
    "gift_choose_again": _letter(
        mark("Please choose once more: your gift from {sender}"),
        (
            mark("We are sorry: {product}, which you have chosen, has run out."),
            mark(
                "Your gift from {sender} is still yours. Choose something else, until {until_day}:"
            ),
            LINK_LINE,
        ),
        _COMMON | {"product": "text", "until_day": "day"},
        needs=("product", "until_day"),
        button=mark("Choose once more"),
    ),
}
