"""What programmes refuse."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, NotFound, Rejected


class ProgrammeNotFound(NotFound):
    """There is no such programme in this tenant."""

    code = "programme.not_found"
    sentence = "There is no such programme."


class ProgrammeOver(Rejected):
    """Nothing can be issued on this day that would still be valid."""

    code = "programme.over"
    sentence = "Coupons of this programme are valid until {ends_on}. None can be issued after it."


class ProgrammeFixed(Conflict):
    """A pack would change what the books or printed paper of a programme depend on."""

    code = "programme.fixed"
    sentence = (
        "The {name} of the programme {slug} cannot change from {old} to {new}."
        " Write a new programme."
    )
