"""Keep Giftpad from doing too much, and from doing the same twice.

Knows: idempotency keys, rates, failed guesses, breakers around what lies outside.
Hides: the key table, token buckets, Redis and its absence.
Does not know: what is being done, HTTP.
"""

from giftpad.guard.commands import (
    admit,
    allow_failures,
    bind_redis,
    check_failures,
    count_failure,
    once,
    outside_call,
    purge_keys,
    remember,
)
from giftpad.guard.errors import KeyReused, OutsideAway, RateExceeded, StillRunning, TooManyFailures
from giftpad.guard.rules import KEPT_FOR_MONEY, KEPT_FOR_OTHERS, Answer, Rate, request_hash

__all__ = [
    "KEPT_FOR_MONEY",
    "KEPT_FOR_OTHERS",
    "Answer",
    "KeyReused",
    "OutsideAway",
    "Rate",
    "RateExceeded",
    "StillRunning",
    "TooManyFailures",
    "admit",
    "allow_failures",
    "bind_redis",
    "check_failures",
    "count_failure",
    "once",
    "outside_call",
    "purge_keys",
    "remember",
    "request_hash",
]
