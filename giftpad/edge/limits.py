"""Limits: how fast a caller may ask, and what it is told when it was too fast."""

from __future__ import annotations

import time
from collections.abc import Mapping

from giftpad import guard
from giftpad.edge.callers import Caller


def admit_caller(caller: Caller) -> None:
    """Let one request of a client, or of a person, pass, or say when the next may.

    Raises: RateExceeded.
    """
    guard.admit(caller.actor.client_id, caller.rate)


def limit_headers(rate: guard.Rate, error: guard.RateExceeded) -> Mapping[str, str]:
    """Return what a caller that was too fast is told about its limit."""
    return {
        "X-RateLimit-Limit": f"{rate.burst:g}",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(time.time()) + error.retry_after_s),
    }
