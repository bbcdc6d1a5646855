"""What the guard refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, TooMany, Unavailable


class KeyReused(Invalid):
    """An idempotency key came again with another request."""

    code = "idempotency.mismatch"
    sentence = (
        "This Idempotency-Key was used before for another request, which may have moved money."
        " Look at what that request did before you try again with a new key."
    )


class StillRunning(Conflict):
    """The first request with this key has not ended yet."""

    code = "idempotency.running"
    sentence = "The first request with this Idempotency-Key is still running. Ask again shortly."
    retry_after_s = 1


class RateExceeded(TooMany):
    """A client asks faster than it may."""

    code = "limit.rate"
    sentence = "Too many requests. Try again in {retry_after_s} seconds."


class TooManyFailures(TooMany):
    """A client has shown too many codes that are none."""

    code = "limit.failed_codes"
    sentence = "Too many unknown codes were tried. Try again in {retry_after_s} seconds."


class OutsideAway(Unavailable):
    """A service outside Giftpad does not answer, and is not asked again for a while."""

    code = "outside.unavailable"
    sentence = "An outside service does not answer right now. Try again in a while."
