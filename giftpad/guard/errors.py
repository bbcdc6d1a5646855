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


class Overloaded(Unavailable):
    """More is asked for than can be done; what matters less is turned away first."""

    code = "overload.busy"
    sentence = (
        "Too much is going on right now, and this request was not begun. It has moved no money."
        " Try again in {retry_after_s} seconds; a payment, with the same Idempotency-Key."
    )


class TooLate(Unavailable):
    """The time that a caller gives its request, by X-Deadline-Ms, was over before work began."""

    code = "overload.too_late"
    sentence = (
        "The time given for this request was over before it could be begun. It has moved no money."
        " Try again in {retry_after_s} seconds; a payment, with the same Idempotency-Key."
    )


class NotYourTurn(Unavailable):
    """Visitors are let in by turns, and this one's has not come."""

    code = "admission.not_your_turn"
    sentence = (
        "Very many people are here right now, so visitors are let in by turns."
        " Your turn begins at {at}."
    )


class FeatureOff(Unavailable):
    """A part of Giftpad is switched off for a while, so that the others go on."""

    code = "feature.off"
    sentence = (
        "This part of Giftpad is switched off for a while. This request was not begun and has"
        " moved no money. Send it again later."
    )


class FeatureUnknown(Invalid):
    """There is no feature of this name that could be switched."""

    code = "feature.unknown"
    sentence = "There is no feature called {name}. These can be switched: {known}."


class ShareInvalid(Invalid):
    """A share of visitors that cannot be let in."""

    code = "admission.share_invalid"
    sentence = "From 1 to {most} groups of {most} can be let in."


class OutsideAway(Unavailable):
    """A service outside Giftpad does not answer, and is not asked again for a while."""

    code = "outside.unavailable"
    sentence = "An outside service does not answer right now. Try again in a while."
