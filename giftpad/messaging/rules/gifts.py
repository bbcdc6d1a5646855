"""Letters about gifts: to whoever gets one, and the thanks to whoever gave it.

A tenant may have its own words for each; the values are the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from giftpad.kernel.i18n import mark
from giftpad.messaging.rules.wording import LINK_LINE, MESSAGE_LINE, Letter

COLOURS = {"paper": "colour", "ink": "colour", "band": "colour"}
"""Of the design: behind the words, the words themselves, the band and the button."""
_DEAR = mark("Dear {recipient},")
_SENT_FOR = mark("Giftpad sends this letter for {sender}.")
_NUMBER = mark("Number: {number}")
_PRODUCT = mark("Product: {product}")
_BALANCE = mark(
    "{sender} has a gift of {balance} for you. Say by {until_day} what you would like for it:"
)

GIFT_LETTERS: Mapping[str, Letter] = {
    "gift_invitation": Letter(
        subject=mark("{title}: a gift from {sender}"),
        lines=(
            _DEAR,
            MESSAGE_LINE,
            mark("{sender} has a gift for you. Choose what you like best, until {until_day}:"),
            LINK_LINE,
            mark("You need no account and pay nothing. If you did not expect this, ask {sender}."),
            _SENT_FOR,
        ),
        sms=(
            mark("{sender} has a gift for you. Choose what you like best, until {until_day}:"),
            LINK_LINE,
        ),
        values={
            "recipient": "text",
            "sender": "text",
            "title": "text",
            "message": "long",
            "link": "link",
            "until_day": "day",
        }
        | COLOURS,
        optional=frozenset({"message", *COLOURS}),
        needs=("link", "message", "until_day"),
        button=mark("See your gift"),
        may_be_stopped=True,
    ),
    "gift_reminder": Letter(
        subject=mark("Your gift from {sender} waits until {until_day}"),
        lines=(
            _DEAR,
            mark("You have not chosen your gift from {sender} yet: {title}."),
            mark("It waits for you until {until_day}:"),
            LINK_LINE,
            mark("After that day it can no longer be chosen."),
            _SENT_FOR,
        ),
        sms=(mark("Your gift from {sender} waits for you until {until_day}:"), LINK_LINE),
        values={
            "recipient": "text",
            "sender": "text",
            "title": "text",
            "link": "link",
            "until_day": "day",
        }
        | COLOURS,
        optional=frozenset(COLOURS),
        needs=("link", "until_day"),
        button=mark("See your gift"),
        may_be_stopped=True,
    ),
    "gift_balance_invitation": Letter(
        subject=mark("{title}: a gift from {sender}"),
        lines=(
            _DEAR,
            MESSAGE_LINE,
            _BALANCE,
            LINK_LINE,
            mark("You need no account and pay nothing. If you did not expect this, ask {sender}."),
            _SENT_FOR,
        ),
        sms=(_BALANCE, LINK_LINE),
        values={
            "recipient": "text",
            "sender": "text",
            "title": "text",
            "balance": "text",
            "message": "long",
            "link": "link",
            "until_day": "day",
        }
        | COLOURS,
        optional=frozenset({"message", *COLOURS}),
        needs=("link", "message", "balance", "until_day"),
        button=mark("See your gift"),
        may_be_stopped=True,
    ),
    "gift_balance_reminder": Letter(
        subject=mark("{balance} from {sender} waits for you until {until_day}"),
        lines=(
            _DEAR,
            mark("Of your gift from {sender}, {title}, {balance} is not used yet."),
            mark("It waits for you until {until_day}:"),
            LINK_LINE,
            mark("After that day it can no longer be used."),
            _SENT_FOR,
        ),
        sms=(mark("{balance} from {sender} waits for you until {until_day}:"), LINK_LINE),
        values={
            "recipient": "text",
            "sender": "text",
            "title": "text",
            "balance": "text",
            "link": "link",
            "until_day": "day",
        }
        | COLOURS,
        optional=frozenset(COLOURS),
        needs=("link", "balance", "until_day"),
        button=mark("See your gift"),
        may_be_stopped=True,
    ),
    "gift_kept": Letter(
        subject=mark("You keep {balance} of your gift from {sender}"),
        lines=(
            _DEAR,
            mark("You keep {balance}. Shops that take {programme} accept it until {until_day}."),
            _NUMBER,
            mark("Open this where you have kept it, and show the code there in the shop:"),
            LINK_LINE,
            mark("If you lose that phone, tell {sender} the number above. Nothing is lost."),
            _SENT_FOR,
        ),
        values={
            "recipient": "text",
            "sender": "text",
            "balance": "text",
            "programme": "text",
            "number": "text",
            "link": "link",
            "until_day": "day",
        }
        | COLOURS,
        optional=frozenset(COLOURS),
        needs=("link", "balance", "programme", "number", "until_day"),
        button=mark("Show your balance"),
    ),
    "gift_received": Letter(
        subject=mark("We have your choice, number {number}"),
        lines=(
            _DEAR,
            mark("Thank you for choosing. This is what we have written down:"),
            _PRODUCT,
            _NUMBER,
            mark("Where it goes:\n{address}"),
            mark(
                "We expect it to leave by {expected_day}. Until then you can change where it goes."
            ),
            mark("Here you see what you have chosen:"),
            LINK_LINE,
            _SENT_FOR,
        ),
        values={
            "recipient": "text",
            "sender": "text",
            "number": "text",
            "product": "text",
            "address": "long",
            "expected_day": "day",
            "link": "link",
        }
        | COLOURS,
        optional=frozenset({"address", "expected_day", *COLOURS}),
        needs=("link", "number", "product", "address"),
        button=mark("See your choice"),
    ),
    "gift_shipped": Letter(
        subject=mark("Your gift is on its way, number {number}"),
        lines=(
            _DEAR,
            mark("Your gift from {sender} is on its way to you."),
            _PRODUCT,
            _NUMBER,
            mark("Carrier: {carrier}"),
            mark("Tracking number: {tracking}"),
            "{tracking_link}",
            mark("Here you see how far it is:"),
            LINK_LINE,
            _SENT_FOR,
        ),
        values={
            "recipient": "text",
            "sender": "text",
            "number": "text",
            "product": "text",
            "carrier": "text",
            "tracking": "text",
            "tracking_link": "link",
            "link": "link",
        }
        | COLOURS,
        optional=frozenset({"carrier", "tracking", "tracking_link", *COLOURS}),
        needs=("link", "number", "product", "carrier", "tracking"),
        button=mark("See your gift"),
    ),
    "gift_thanks": Letter(
        subject=mark("{thanker} says thank you: {title}"),
        lines=(
            _DEAR,
            mark("{thanker} has a word for you about the gift of {sender}: {title}."),
            "{stamp}",
            MESSAGE_LINE,
            mark("All answers are here:"),
            LINK_LINE,
        ),
        values={
            "recipient": "text",
            "sender": "text",
            "thanker": "text",
            "title": "text",
            "stamp": "text",
            "message": "long",
            "link": "link",
        }
        | COLOURS,
        optional=frozenset({"stamp", "message", *COLOURS}),
        needs=("link", "thanker", "message", "stamp"),
        button=mark("See all answers"),
    ),
    "gift_choose_again": Letter(
        subject=mark("Please choose once more: your gift from {sender}"),
        lines=(
            _DEAR,
            mark("We are sorry: {product}, which you have chosen, has run out."),
            mark(
                "Your gift from {sender} is still yours. Choose something else, until {until_day}:"
            ),
            LINK_LINE,
            _SENT_FOR,
        ),
        values={
            "recipient": "text",
            "sender": "text",
            "product": "text",
            "link": "link",
            "until_day": "day",
        }
        | COLOURS,
        optional=frozenset(COLOURS),
        needs=("link", "product", "until_day"),
        button=mark("Choose once more"),
    ),
}
