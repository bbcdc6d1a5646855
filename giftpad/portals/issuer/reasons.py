"""Why somebody stops, replaces or gives back: a choice, and a few words beside it.

Hides: how the two are kept as one text.  ``portals.reasons`` reads it again.
"""

from __future__ import annotations

from typing import Any

from giftpad.kernel.i18n import mark
from giftpad.portals.forms import Choice, Form, Words
from giftpad.portals.reasons import OTHER

WORDS_LENGTH_MAX = 150
_WORDS_NEEDED = mark("Please write the reason in a few words.")


class ReasonForm(Form):
    """Why something is done; ``other`` needs words."""

    why = Choice(mark("Reason"))
    words = Words(mark("More about it"), most=WORDS_LENGTH_MAX, required=False)

    def __init__(self, formdata: Any, reasons: tuple[tuple[str, str], ...], **values: Any) -> None:
        super().__init__(formdata, **values)
        self.why.choices = list(reasons)

    def is_right(self) -> bool:
        """Whether everything typed can be accepted, and another reason has its words."""
        right = super().is_right()
        if self.why.data == OTHER and not self.words.data:
            self.refuse("words", _WORDS_NEEDED)
            return False
        return right

    @property
    def reason(self) -> str:
        """The reason as it is kept: the choice, then the words."""
        choice, words = self.why.data, self.words.data
        if choice == OTHER:
            return str(words)
        return f"{choice}: {words}" if words else str(choice)
