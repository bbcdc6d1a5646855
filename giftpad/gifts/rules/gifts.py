"""One gift: its states, how it went out, what was claimed with it."""

from __future__ import annotations

from giftpad.kernel.codes import encode

OUTSTANDING, CLAIMED, CANCELLED, EXPIRED = "outstanding", "claimed", "cancelled", "expired"
STATES = (OUTSTANDING, CLAIMED, CANCELLED, EXPIRED)

NONE, QUEUED, HANDED_OVER = "none", "queued", "sent"
DELIVERED, BOUNCED, FAILED, UNKNOWN = "delivered", "bounced", "failed", "unknown"
DELIVERIES = (NONE, QUEUED, HANDED_OVER, DELIVERED, BOUNCED, FAILED, UNKNOWN)
"""How the letter of a gift went: none is sent by us, waiting, taken by the provider, and so on."""

RECEIVED, PREPARING, SHIPPED = "received", "preparing", "shipped"
ARRIVED, CAME_BACK, WITHDRAWN = "arrived", "returned", "withdrawn"
CLAIM_STATES = (RECEIVED, PREPARING, SHIPPED, ARRIVED, CAME_BACK, WITHDRAWN)
"""What becomes of a claim; a withdrawn one made room for another choice."""
CHANGEABLE = (RECEIVED, CAME_BACK)
"""States in which the address of a claim can be changed."""

TIME_SLOTS = ("any", "morning", "afternoon", "evening")
STAMPS = ("thanks", "delighted", "delicious", "surprised", "see_you")
WORDS_LENGTH_MAX = 300
BASKET_MAX = 10
"""Things that a balance buys at once."""
NUMBER_LENGTH = 5
"""Symbols of a claim's number at least; it grows when locators do."""


def claim_number(locator: int, position: int = 0) -> str:
    """Return the number by which a recipient and a support desk speak of a claim.

    >>> claim_number(1234), claim_number(32**6), claim_number(1234, 2)
    ('G-0016J', 'G-1000000', 'G-0016J-2')
    """
    length = NUMBER_LENGTH
    while locator >= 32**length:
        length += 1
    number = f"G-{encode(locator, length)}"
    return f"{number}-{position}" if position else number
