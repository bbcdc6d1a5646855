"""Reactions: mail a code to whoever has forgotten a password."""

from __future__ import annotations

from giftpad.identity.commands.resets import send_reset_code
from giftpad.identity.events import ResetAsked
from giftpad.kernel.work import Work


def mail_reset_code(work: Work, event: ResetAsked) -> None:
    """Mail the code of a reset, if its address is somebody's."""
    send_reset_code(work, event.object_id)
