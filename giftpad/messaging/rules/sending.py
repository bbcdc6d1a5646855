"""What becomes of a message: its states, how an attempt may end, and what follows from that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

CHANNELS = ("mail", "sms")
CODES = "otp"
SINGLE = (CODES, "tx-mail", "tx-sms")
"""Queues on which each message travels alone, because somebody waits for it."""
BULK = ("bulk-mail", "bulk-sms")
"""Queues whose messages are taken many at a time."""
QUEUES = (*SINGLE, *BULK)
QUEUED, SENDING, SENT = "queued", "sending", "sent"
FAILED, UNKNOWN, EXPIRED = "failed", "unknown", "expired"
DELIVERED, BOUNCED, SUPPRESSED = "delivered", "bounced", "suppressed"
CLOSED = (SENT, DELIVERED, BOUNCED, FAILED, UNKNOWN, EXPIRED, SUPPRESSED)
STATES = (QUEUED, SENDING, *CLOSED)
OPEN = (QUEUED, SENDING)
"""States from which a message still goes on by itself."""
TAKEN_BY_PROVIDER = (SENT, DELIVERED, BOUNCED)
"""States of a message that a provider has, or had."""
AT_A_LOSS = (FAILED, UNKNOWN, SUPPRESSED)
"""States from which a person may have it sent again."""

LEASE = timedelta(seconds=150)
"""How long one attempt may take; longer than a worker lets any job of these queues run."""
HELD_MAX = 50
"""Messages of a bulk queue that one worker holds at once."""
LINES_MAX = 4
"""Workers that send one tenant's bulk by one channel at a time."""
SLICE_S = 8.0
"""After so long a worker lets another tenant's bulk go first, or ends if it was told to: it has
less time for that than a slow run would take."""
SLOW_S = 1.5
"""A provider that takes longer over one message ends the slice: mail waits behind slow SMS too."""
BULK_FIRST = timedelta(minutes=1)
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


class Untold(Enum):
    """What a provider answers that was asked for a message, where it is not that it has it."""

    NEVER = "never taken"
    CANNOT_TELL = "cannot tell"


Found = Outcome | Untold
NEVER, CANNOT_TELL = Untold.NEVER, Untold.CANNOT_TELL
ASKED_AFTER = timedelta(minutes=2)
"""So long after an attempt a provider's list may lack what it took."""
ASKED_WITHIN = timedelta(days=1)
ASKED_MAX = 50


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


def silent(reason: str) -> Outcome:
    """Return the same of a provider that says nothing at all: the next would wait as long."""
    return Outcome(ending=Ending.LOST, reason=reason, is_away=True)


def queue_of(channel: str, *, is_code: bool, is_bulk: bool = False) -> str:
    """Return the queue a message travels on.

    >>> queue_of("sms", is_code=True), queue_of("mail", is_code=False)
    ('otp', 'tx-mail')
    >>> queue_of("mail", is_code=False, is_bulk=True)
    'bulk-mail'
    """
    assert not (is_code and is_bulk), "somebody waits for a code"
    if is_code:
        return CODES
    return f"bulk-{channel}" if is_bulk else f"tx-{channel}"


CLASSES = ("codes", "letters", "bulk")
"""Classes of traffic; the first goes first."""


def class_of(queue: str) -> str:
    """Return the class of traffic a queue belongs to: who goes first, who fails together.

    >>> [class_of(queue) for queue in QUEUES]
    ['codes', 'letters', 'letters', 'bulk', 'bulk']
    """
    if queue in BULK:
        return "bulk"
    return "codes" if queue == CODES else "letters"


def may_repeat(queue: str, *, knows_keys: bool) -> bool:
    """Whether a message that may have been taken already is sent again by itself.

    A provider that knows idempotency keys takes none twice, and the same code twice does no harm;
    a letter that comes twice does.
    """
    return knows_keys or queue == CODES


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


def bulk_wait(attempts: int) -> timedelta:
    """Return the pause of a bulk message after so many attempts; no rails try it in between.

    >>> [bulk_wait(n).seconds // 60 for n in (1, 2, 3, 7, 19)]
    [1, 2, 4, 60, 60]
    """
    return min(BULK_FIRST * (1 << attempts - 1), LATE_MAX)
