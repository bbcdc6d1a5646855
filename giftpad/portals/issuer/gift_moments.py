"""What happened to a gift, as its page tells it.

Hides: which of its instants say something, and which only that a letter waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from giftpad import gifts
from giftpad.kernel.i18n import mark
from giftpad.portals.issuer.gift_words import GIFT_STATES

LEAVES_LATER = mark("From then on a letter can leave")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to a gift."""

    at: datetime
    words: str
    kind: str = ""


def _written_at(view: gifts.GiftView) -> datetime | None:
    """Return when the letter was written, where the newest one is not a reminder of it."""
    return None if view.is_reminded_last or view.message_id is None else view.queued_at


def list_moments(view: gifts.GiftView, now: datetime) -> list[Moment]:
    """Return what happened to a gift, newest first; above it what waits for the morning."""
    found = [
        (_written_at(view), mark("The letter was written"), ""),
        (view.sent_at, mark("The letter was sent"), ""),
        (view.delivered_at, mark("The letter arrived"), "ok"),
        (view.opened_at, mark("The letter was opened"), "ok"),
        (view.reminded_at, mark("A reminder was written"), ""),
        *((at, mark("Somebody here wrote a reminder"), "") for at in view.hand_reminded_at),
        (view.passed_on_at, mark("The recipient passed it on to somebody else"), ""),
    ]
    if view.ended_at is not None:
        found.append((view.ended_at, GIFT_STATES[view.state][1], "ok"))
    if view.claim is not None and view.claim.shipped_at is not None:
        found.append((view.claim.shipped_at, mark("The parcel was handed to the carrier"), "ok"))
    found += [(each.claimed_at, mark("A thing was chosen"), "ok") for each in view.items]
    found += [(each.kept_at, mark("A balance was kept for shops"), "ok") for each in view.kept]
    found += [(each.used_at, mark("It was used in a shop first"), "ok") for each in view.kept]
    if view.thanks is not None:
        found.append((view.thanks.at, mark("The recipient said thank you"), "ok"))
    moments = [
        # A gift's other instants are over: only a letter is written for later.
        Moment(at=at, words=words if at <= now else LEAVES_LATER, kind=kind)
        for at, words, kind in found
        if at is not None
    ]
    moments.reverse()  # of one instant what comes of the other stands above it
    return sorted(moments, key=lambda moment: moment.at, reverse=True)
