"""What health refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, NotFound


class NothingDead(Conflict):
    """A redrive was asked for where nothing is given up any more."""

    code = "health.nothing_dead"
    sentence = "Nothing is given up here any more."


class RedriveNotFound(NotFound):
    """A redrive that was never made, or of somebody else's."""

    code = "health.redrive_not_found"
    sentence = "There is no such attempt."
