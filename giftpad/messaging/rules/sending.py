"""What becomes of a message: its states, how an attempt may end, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

CHANNELS = ("mail", "sms")
QUEUES = ("otp", "tx-mail", "tx-sms")
QUEUED, SENDING, SENT = "queued", "sending", "sent"
FAILED, UNKNOWN, EXPIRED = "failed", "unknown", "expired"
STATES = (QUEUED, SENDING, SENT, FAILED, UNKNOWN, EXPIRED)
OPEN = (QUEUED, SENDING)
"""States from which a message still goes on by itself."""
AT_A_LOSS = (FAILED, UNKNOWN)
"""States from which a person may have it sent again."""

LEASE = timedelta(seconds=150)
"""How long one attempt may take; longer than a worker lets any job of these queues run."""
QUICK_TRIES_MAX = 7
"""Attempts that follow one another within two minutes, by the back-off of the rails."""
ATTEMPTS_MAX = 20
"""Attempts in all: with the pauses of ``late_wait``, about half a day."""
LATE_FIRST = timedelta(minutes=5)
LATE_MAX = timedelta(hours=1)
OVERLOOKED = timedelta(minutes=10)
"""An open message that nobody has touched for so long is put on its queue once more."""
KEPT = timedelta(days=30)


class Ending(Enum):
    """How an attempt ended."""

    TAKEN = "taken"
    """The provider has it."""
    PUT_OFF = "put off"
    """The provider surely does not have it, and may take it later."""
    REFUSED = "refused"
    """The provider will never take it."""
    LOST = "lost"
    """Everything was handed over, and no answer came: the provider has it or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended, in words that name no person; ``is_away``: for no message at all."""

    ending: Ending
    reason: str = ""
    provider_id: str = ""
    is_away: bool = False


def taken(provider_id: str) -> Outcome:
    """Return that the provider has the message."""
    return Outcome(ending=Ending.TAKEN, provider_id=provider_id)


def put_off(reason: str) -> Outcome:
    """Return that this message was not taken now."""
    return Outcome(ending=Ending.PUT_OFF, reason=reason)


def away(reason: str) -> Outcome:
    """Return that the provider takes nothing now."""
    return Outcome(ending=Ending.PUT_OFF, reason=reason, is_away=True)


def refused(reason: str) -> Outcome:
    """Return that this message will never be taken."""
    return Outcome(ending=Ending.REFUSED, reason=reason)


def lost(reason: str) -> Outcome:
    """Return that nobody here knows whether the message was taken."""
    return Outcome(ending=Ending.LOST, reason=reason)


def queue_of(channel: str, *, is_code: bool) -> str:
    """Return the queue a message travels on.

    >>> queue_of("sms", is_code=True), queue_of("mail", is_code=False)
    ('otp', 'tx-mail')
    """
    return "otp" if is_code else f"tx-{channel}"


def may_repeat(channel: str, queue: str) -> bool:
    """Whether a message that may have been taken already is sent again by itself.

    An SMS carries its id as the provider's idempotency key, and the same code twice does no
    harm; a letter that comes twice does.
    """
    return channel == "sms" or queue == "otp"


def state_after(outcome: Outcome, *, repeats: bool, attempts: int) -> str:
    """Return the state that follows from an attempt's end.

    >>> state_after(lost("no answer"), repeats=False, attempts=1)
    'unknown'
    >>> state_after(lost("no answer"), repeats=True, attempts=1)
    'queued'
    """
    is_lost = outcome.ending is Ending.LOST
    if outcome.ending is Ending.TAKEN:
        return SENT
    if outcome.ending is Ending.REFUSED:
        return FAILED
    if attempts < ATTEMPTS_MAX and (repeats or not is_lost):
        return QUEUED
    return UNKNOWN if is_lost else FAILED


def late_wait(attempts: int) -> timedelta:
    """Return the pause after so many attempts; while the rails try quickly, it is only a net.

    >>> [late_wait(n).seconds // 60 for n in (1, 7, 8, 9, 10, 11, 19)]
    [10, 5, 10, 20, 40, 60, 60]
    """
    if attempts < QUICK_TRIES_MAX:
        return OVERLOOKED
    return min(LATE_FIRST * (1 << attempts - QUICK_TRIES_MAX), LATE_MAX)
