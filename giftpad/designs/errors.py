"""What the designs refuse."""

from __future__ import annotations

from giftpad.kernel.errors import NotFound


class DesignNotFound(NotFound):
    """No design has this name."""

    code = "design.not_found"
    sentence = "There is no design of this name."
