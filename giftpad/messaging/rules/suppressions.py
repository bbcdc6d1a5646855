"""Why nothing more is sent to an address, and which messages that stops."""

from __future__ import annotations

from datetime import timedelta

from giftpad.messaging.rules.sending import CODES, class_of
from giftpad.messaging.rules.wording import Letter

BOUNCED, COMPLAINED, UNSUBSCRIBED = "bounced", "complained", "unsubscribed"
REASONS = (BOUNCED, COMPLAINED, UNSUBSCRIBED)
KEPT = {
    BOUNCED: timedelta(days=365),
    COMPLAINED: timedelta(days=3650),
    UNSUBSCRIBED: timedelta(days=3650),
}
"""A mailbox may be opened again; whoever said no has said no."""


def normal_form(channel: str, address: str) -> str:
    """Return what an address is found by again, however it was written.

    >>> normal_form("mail", "Hana@Aoba.example")
    'mail:hana@aoba.example'
    """
    return f"{channel}:{address.casefold()}"


def is_stopped(reason: str, queue: str, letter: Letter) -> bool:
    """Whether a reason keeps a message of a queue back.

    A code always goes: whoever asks for it looks at a screen.  What somebody has set off
    themselves goes unless the address is known to be wrong.

    >>> from giftpad.messaging.rules.gifts import GIFT_LETTERS as letters
    >>> [is_stopped(r, "bulk-mail", letters["gift_invitation"]) for r in REASONS]
    [True, True, True]
    >>> [is_stopped(r, "tx-mail", letters["gift_received"]) for r in REASONS]
    [True, False, False]
    """
    if queue == CODES:
        return False
    if reason == BOUNCED:
        return True
    if class_of(queue) != "bulk":
        return False
    return reason == COMPLAINED or letter.may_be_stopped
