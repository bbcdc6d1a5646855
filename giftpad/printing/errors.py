"""What printing refuses; no parameter ever carries a code that spends."""

from __future__ import annotations

from giftpad.kernel.errors import Invalid, NotFound


class UnknownTemplate(NotFound):
    """No print template of this name exists, here or in the tenant's overrides."""

    code = "printing.unknown_template"
    sentence = "There is no print template named {template}."


class BrokenTemplate(Invalid):
    """The template has faults; ``check_template`` lists them all."""

    code = "printing.broken_template"
    sentence = "The print template {template} cannot be used: {problem}"


class MissingField(Invalid):
    """A field that the template requires has no value; ``item`` 0 means what all items share."""

    code = "printing.missing_field"
    sentence = "The print template {template} needs a value for {field}."


class BadField(Invalid):
    """A field's value is not of its kind, as a colour that is none."""

    code = "printing.bad_field"
    sentence = "The value of {field} cannot be used on the print template {template}."


class MissingGlyph(Invalid):
    """A character that no embedded typeface can draw; it is named, never dropped."""

    code = "printing.missing_glyph"
    sentence = (
        "The character {character} ({code_point}) cannot be printed. Please write it otherwise."
    )


class TextTooLong(Invalid):
    """A text that does not fit its place even at the smallest size; it is never cut.

    ``item`` counts from 1; 0 means what all items share.
    """

    code = "printing.text_too_long"
    sentence = "The text of {field} is too long for the print template {template}. Shorten it."
