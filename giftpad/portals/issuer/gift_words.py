"""Words for how a gift stands, how its letter went and what became of its claim."""

from __future__ import annotations

from collections.abc import Mapping

from giftpad import gifts
from giftpad.kernel.i18n import mark

FILTER_WORDS: Mapping[str, str] = {
    "all": mark("All"),
    "undelivered": mark("Not delivered"),
    "unopened": mark("Not opened yet"),
    "unclaimed": mark("Opened, not claimed"),
    "ending": mark("Ends within two weeks"),
    "claimed": mark("Claimed"),
    "used": mark("Used in a shop"),
    "ended": mark("Cancelled or expired"),
}
GIFT_STATES: Mapping[str, tuple[str, str]] = {
    "outstanding": ("info", mark("Can be claimed")),
    "claimed": ("ok", mark("Claimed")),
    "cancelled": ("mute", mark("Cancelled")),
    "expired": ("mute", mark("Expired")),
}
DELIVERIES: Mapping[str, tuple[str, str]] = {
    "none": ("mute", mark("You hand it over")),
    "queued": ("info", mark("Waiting to be sent")),
    "sent": ("ok", mark("Sent")),
    "delivered": ("ok", mark("Delivered")),
    "bounced": ("ng", mark("Came back")),
    "failed": ("ng", mark("Could not be sent")),
    "unknown": ("warn", mark("Nobody knows whether it arrived")),
}
CLAIM_STATES: Mapping[str, tuple[str, str]] = {
    "received": ("info", mark("To be listed for the supplier")),
    "preparing": ("info", mark("With the supplier")),
    "shipped": ("ok", mark("On its way")),
    "arrived": ("ok", mark("Delivered")),
    "returned": ("ng", mark("Came back")),
    "withdrawn": ("mute", mark("Withdrawn")),
}
KEPT_WORDS = (
    mark("received"),
    mark("preparing"),
    mark("shipped"),
    mark("arrived"),
    mark("returned"),
    mark("withdrawn"),
    mark("mail"),
    mark("sms"),
    mark("link"),
    mark("card"),
    mark("letter"),
    mark("code"),
    mark("all"),
    mark("unopened"),
    mark("unclaimed"),
    mark("ending"),
    mark("found"),
)
"""States, ways of sending and selections as the audit log keeps them: their words are found so."""
assert set(FILTER_WORDS) == set(gifts.FILTERS)


OUR_COUNTRY = "+81"
PRINTED = ("mute", mark("Goes out in print"))
WITHOUT_PARCEL = mark("Done, nothing is sent by post")
TAKEN_BACK = mark("Not sent, for the gift was taken back first")


def say_letter(view: gifts.GiftView) -> str:
    """Return the words for how the newest letter of a gift went."""
    if view.delivery == "queued" and view.state == "cancelled":
        return TAKEN_BACK
    return _in_words_of_letter(view)[1]


def _in_words_of_letter(view: gifts.GiftView) -> tuple[str, str]:
    """Return how a letter went; what a print house makes is in nobody's own hands."""
    is_printed = view.delivery == "none" and view.channel in ("card", "letter")
    return PRINTED if is_printed else DELIVERIES[view.delivery]


def say_claim(claim: gifts.ClaimView) -> tuple[str, str]:
    """Return the sign and the words for what became of a claim; only goods have a way to go."""
    if claim.kind != "goods" and claim.state == "received":
        return ("ok", WITHOUT_PARCEL)
    return CLAIM_STATES[claim.state]


def write_reach(address: str) -> str:
    """Return a number as it is dialled in Japan; a mail or a postal address stays as it is."""
    is_number = address.startswith(OUR_COUNTRY) and address.removeprefix("+").isdigit()
    return f"0{address.removeprefix(OUR_COUNTRY)}" if is_number else address


def in_words(view: gifts.GiftView) -> tuple[str, str]:
    """Return the sign and the words for how one gift stands, the most telling fact of it."""
    if view.state != "outstanding":
        return GIFT_STATES[view.state]
    if view.claimed_minor:
        return ("info", mark("A part is used"))
    if view.opened_at is not None:
        return ("info", mark("Opened"))
    return _in_words_of_letter(view)
