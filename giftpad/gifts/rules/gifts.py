"""One gift: its states, how it went out, what was claimed with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from giftpad.kernel.codes import encode
from giftpad.kernel.i18n import mark

OUTSTANDING, CLAIMED, CANCELLED, EXPIRED = "outstanding", "claimed", "cancelled", "expired"
STATES = (OUTSTANDING, CLAIMED, CANCELLED, EXPIRED)

NONE, QUEUED, HANDED_OVER = "none", "queued", "sent"
DELIVERED, BOUNCED, FAILED, UNKNOWN = "delivered", "bounced", "failed", "unknown"
DELIVERIES = (NONE, QUEUED, HANDED_OVER, DELIVERED, BOUNCED, FAILED, UNKNOWN)
"""How the letter of a gift went: none is sent by us, waiting, taken by the provider, and so on."""

INVITATION, REMINDER = "gift_invitation", "gift_reminder"
"""The letters to whoever gets a gift; one of an amount has its own words for each."""
UNSENT = (BOUNCED, FAILED, UNKNOWN)
"""Letters that never arrived, or of which nobody knows: a person may send them again at once."""
LETTER_PAUSE = timedelta(hours=20)
"""Between two letters that a person has written to somebody lies a night."""
HAND_REMINDERS_MAX = 2
"""How often a person may remind somebody of one gift."""

RECEIVED, PREPARING, SHIPPED = "received", "preparing", "shipped"
ARRIVED, CAME_BACK, WITHDRAWN = "arrived", "returned", "withdrawn"
CLAIM_STATES = (RECEIVED, PREPARING, SHIPPED, ARRIVED, CAME_BACK, WITHDRAWN)
"""What becomes of a claim; a withdrawn one made room for another choice."""
CHANGEABLE = (RECEIVED, CAME_BACK)
"""States in which the address of a claim can be changed."""

REPLACED, PASSED_ON, READDRESSED = "replaced", "passed_on", "readdressed"
LINK_CHANGES = (REPLACED, PASSED_ON, READDRESSED)
"""Why a link opens its gift no more, though the gift is there."""

KEPT_AFTER_END = timedelta(days=400)
"""How long name and address of a recipient are kept after the gift's last day: a business year,
and time to answer questions about it.  Whatever moves that day moves the end of this with it."""

TIME_SLOTS = ("any", "morning", "afternoon", "evening")
STAMP_WORDS: Mapping[str, str] = {
    "thanks": mark("Thank you very much"),
    "delighted": mark("I am delighted"),
    "delicious": mark("It looks delicious"),
    "surprised": mark("What a nice surprise"),
    "see_you": mark("See you soon"),
}
"""What each stamp says: to whoever sets it, and in the same words to whoever reads it."""
STAMPS = tuple(STAMP_WORDS)
WORDS_LENGTH_MAX = 300
BASKET_MAX = 10
"""Things that a balance buys at once."""
NUMBER_LENGTH = 5
"""Symbols of a claim's number at least; it grows when locators do."""


def claim_number(locator: int, turn: int = 0) -> str:
    """Return the number by which a recipient and a support desk speak of a claim.

    ``turn`` tells what one gift has claimed apart: the things of a balance, a second choice.

    >>> claim_number(1234), claim_number(32**6), claim_number(1234, 2)
    ('G-0016J', 'G-1000000', 'G-0016J-2')
    """
    length = NUMBER_LENGTH
    while locator >= 32**length:
        length += 1
    number = f"G-{encode(locator, length)}"
    return f"{number}-{turn}" if turn else number
