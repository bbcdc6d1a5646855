"""Letters about accounts: codes, invitations, notices."""

from __future__ import annotations

from collections.abc import Mapping

from giftpad.kernel.i18n import mark
from giftpad.messaging.rules.wording import BOUND_LINE, CODE_LINE, LINK_LINE, Letter

ACCOUNT_LETTERS: Mapping[str, Letter] = {
    "sign_in_code": Letter(
        subject=mark("Your code for signing in to {organisation}"),
        lines=(
            mark("This is your code for signing in to {organisation}:"),
            CODE_LINE,
            mark("Enter it on the page where you asked for it, within {minutes} minutes."),
            mark("Tell it to nobody. {organisation} never asks for it by mail or telephone."),
            mark("If you did not ask for a code, you need not do anything."),
            BOUND_LINE,
        ),
        sms=(
            mark("{organisation}: your code for signing in is {code}. Tell it to nobody."),
            BOUND_LINE,
        ),
        values={"organisation": "text", "code": "digits", "minutes": "minutes", "host": "host"},
        is_code=True,
    ),
    "password_reset": Letter(
        subject=mark("Your code for a new password at {organisation}"),
        lines=(
            mark("Somebody, probably you, wants to set a new password at {organisation}."),
            mark("This is the code for it:"),
            CODE_LINE,
            mark("Enter it on the page where you asked for it, within {minutes} minutes."),
            mark("Tell it to nobody. {organisation} never asks for it by mail or telephone."),
            mark("If it was not you, do nothing: your password stays as it is."),
            BOUND_LINE,
        ),
        values={"organisation": "text", "code": "code", "minutes": "minutes", "host": "host"},
        is_code=True,
    ),
    "invitation": Letter(
        subject=mark("{organisation} invites you"),
        lines=(
            mark("{organisation} invites you to work together with Giftpad."),
            mark("To accept, open this address. It works once, and until {until_day}:"),
            LINK_LINE,
            mark("If you do not know {organisation}, you need not do anything."),
        ),
        values={"organisation": "text", "link": "link", "until_day": "day"},
    ),
    "security_notice": Letter(
        subject=mark("About your account at {organisation}"),
        lines=(
            "{what}",
            mark("When: {at}"),
            mark("Device: {device}"),
            mark("If it was you, you need not do anything."),
            mark(
                "If it was not you, open this address now, set a new password and sign out"
                " everywhere:"
            ),
            LINK_LINE,
            mark("If you cannot sign in there any more, call {organisation}."),
        ),
        values={
            "organisation": "text",
            "what": "notice",
            "at": "instant",
            "device": "text",
            "link": "link",
        },
    ),
}
