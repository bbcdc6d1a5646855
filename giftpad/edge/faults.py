"""What is wrong with one value of a request, in the caller's language.

Hides: that marshmallow and msgspec say it in English, with the numbers already in their places.
"""

from __future__ import annotations

import re
from string import Formatter

from giftpad.kernel.i18n import mark, translate

SENTENCES: tuple[str, ...] = (
    # marshmallow: the place of a value, then its kind
    mark("Missing data for required field."),
    mark("Field may not be null."),
    mark("Unknown field."),
    mark("Invalid input type."),
    mark("Invalid type."),
    mark("Invalid value."),
    mark("Not a valid string."),
    mark("Not a valid utf-8 string."),
    mark("Not a valid number."),
    mark("Not a valid integer."),
    mark("Not a valid boolean."),
    mark("Not a valid UUID."),
    mark("Not a valid date."),
    mark("Not a valid datetime."),
    mark("Not a valid aware datetime."),
    mark("Not a valid list."),
    mark("Not a valid mapping type."),
    mark("Number too large."),
    mark("Special numeric values (nan or infinity) are not permitted."),
    # marshmallow: its validators
    mark("Must be greater than or equal to {min} and less than or equal to {max}."),
    mark("Must be greater than or equal to {min}."),
    mark("Must be less than or equal to {max}."),
    mark("Shorter than minimum length {min}."),
    mark("Longer than maximum length {max}."),
    mark("Length must be between {min} and {max}."),
    mark("Must be one of: {choices}."),
    mark("String does not match expected pattern."),
    # msgspec
    mark("Object missing required field `{field}`"),
    mark("Object contains unknown field `{field}`"),
    mark("Expected `{wanted}`, got `{found}`"),
    mark("Expected `{wanted}` of length >= {min}"),
    mark("Expected `{wanted}` of length <= {max}"),
    mark("Expected `{wanted}` >= {min}"),
    mark("Expected `{wanted}` <= {max}"),
    mark("Invalid enum value {value}"),
    mark("Invalid UUID"),
)


def _pattern(sentence: str) -> re.Pattern[str]:
    """Return what finds the values of a sentence in the finished text."""
    parts = (
        re.escape(literal) + (f"(?P<{name}>.*)" if name else "")
        for literal, name, _, _ in Formatter().parse(sentence)
    )
    return re.compile("".join(parts), re.DOTALL)


_PATTERNS = tuple((sentence, _pattern(sentence)) for sentence in SENTENCES)


def in_words(detail: str, locale: str) -> str:
    """Return what a library says of a value in ``locale``, or as it stands if it is not known.

    What the caller sent may be part of it, so it is never taken for a template itself.
    """
    for sentence, pattern in _PATTERNS:
        found = pattern.fullmatch(detail)
        if found is not None:
            return translate(sentence, locale, **found.groupdict())
    return detail
