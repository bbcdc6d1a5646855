"""What a page says where the API speaks of headers, tokens and keys: the same, for people."""

from __future__ import annotations

from collections.abc import Mapping

from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import mark
from giftpad.portals.words import say_in_words

SAID: Mapping[str, str] = {
    "idempotency.mismatch": mark(
        "This form was sent before, with other contents. Look at what was done then, and open the"
        " page again."
    ),
    "idempotency.running": mark(
        "The same is being done at this moment. Wait a little, then look at what was done."
    ),
    "database.unavailable": mark("Giftpad cannot reach its records right now."),
    "database.busy": mark("Too much is going on right now."),
    "feature.off": mark(
        "This part of Giftpad was switched off for a while, so that there is room for payments."
    ),
    "internal.unexpected": "",
    "overload.busy": mark("Too much is going on right now. Payments go first."),
    "overload.too_late": mark("Too much is going on right now. Payments go first."),
    "permission.missing": mark("Your role does not allow this."),
    "request.malformed": mark("Something in the address or in the form cannot be read."),
    "route.not_found": "",
    "token.invalid": mark("Your sign-in is over."),
    "token.missing": mark("You are not signed in."),
}
"""Page sentences by the code of a refusal; an empty one says nothing beside the heading."""


def refusal_in_words(error: DomainError) -> str:
    """Return what a page says of a refusal, in the reader's language."""
    return say_in_words(SAID.get(error.code, error.sentence), **error.params)


def detail_in_words(code: str, detail: str) -> str:
    """Return what a page says of a refusal whose ``detail`` the edge has put into words."""
    return say_in_words(SAID[code]) if code in SAID else detail
