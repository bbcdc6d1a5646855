"""Forms: what people type, forgiven where it can be and refused in their own words.

Hides: WTForms.  Labels, helps and faults are English source sentences until they are shown.
Full-width digits, separators and a yen sign are forgiven; what was typed is never lost.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import wtforms  # type: ignore[import-untyped] # the library has no types
from wtforms import validators

from giftpad.edge import status_of
from giftpad.kernel.errors import DomainError
from giftpad.kernel.i18n import mark
from giftpad.portals.numbers import read_whole
from giftpad.portals.refusals import refusal_in_words
from giftpad.portals.words import say_in_words

WORDS_LENGTH_MAX = 500
NEEDED = mark("Please fill this in.")
UNCHOSEN = mark("Please choose one.")
TOO_LONG = mark("Please use at most {most} characters.")
NOT_A_NUMBER = mark("Please type a whole number, such as 500.")
NOT_BETWEEN = mark("Please type a number from {least} to {most}.")
NOT_A_DAY = mark("Please give the day as year, month, day, such as 2027-03-31.")
DAY_MIN, DAY_MAX = date(2000, 1, 1), date(2100, 12, 31)
TOO_FAR = mark("Please give a day between 2000 and 2100.")
NOT_A_CHOICE = mark("Please choose one of these.")
UNREADABLE = mark("Please remove the characters that cannot be shown.")


YEAR_MIN = 2000


class Form(wtforms.Form):  # type: ignore[misc] # the library has no types
    """A form of a page; ``refusal`` is what the domain said of it as a whole.

    ``refusal_at`` is the id of what would mend that, where one thing on the page would.
    """

    refusal: str | None = None
    refusal_at: str = ""

    def is_right(self) -> bool:
        """Whether everything typed can be accepted."""
        right: bool = self.validate()
        return right

    @property
    def faults(self) -> list[tuple[str, str]]:
        """The fields with a fault and what it is, in the order of the form."""
        return [(field.id, field.errors[0]) for field in self if field.errors]

    def refuse(self, field_name: str, sentence: str, **params: object) -> None:
        """Say of one field why the domain does not take it."""
        field = self[field_name]
        field.errors = [*field.errors, say_in_words(sentence, **params)]

    def __iter__(self) -> Iterator[Any]:
        return iter(super().__iter__())


class PlainForm(Form):
    """A form that only says yes."""


def read_instant(text: str) -> datetime:
    """Return the instant that a form carries as its page wrote it; without a zone it is of UTC.

    Raises: ValueError.
    """
    instant = datetime.fromisoformat(text)
    if instant.year < YEAR_MIN:
        raise ValueError(text)  # nobody's page was drawn then, and one cannot count back from it
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def refused(form: Form, error: DomainError, *, at: str = "") -> int:
    """Put what the domain refuses on top of the form, and return the status to answer with.

    ``at`` is the id of what would mend it.
    """
    form.refusal, form.refusal_at = refusal_in_words(error), at
    return int(status_of(error))


def _needed(_form: object, field: Any) -> None:
    if not (field.data or field.data == 0):
        raise validators.StopValidation(say_in_words(NEEDED))


def _chosen(_form: object, field: Any) -> None:
    if not field.data:
        raise validators.StopValidation(say_in_words(UNCHOSEN))


def _shown_only(_form: object, field: Any) -> None:
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t" for c in field.data or ""):
        raise validators.ValidationError(say_in_words(UNREADABLE))


def _at_most(most: int) -> Callable[[object, Any], None]:
    def check(_form: object, field: Any) -> None:
        if len(field.data or "") > most:
            raise validators.ValidationError(say_in_words(TOO_LONG, most=most))

    return check


class _Field:
    """What all fields of ours share: whether they must be filled in, and a word of help."""

    def _checks(self, required: bool, *more: Callable[..., None]) -> list[Any]:  # noqa: FBT001
        return [_needed if required else validators.Optional(), *more]


class Words(_Field, wtforms.StringField):  # type: ignore[misc] # the library has no types
    """A line of text; blanks around it are dropped."""

    def __init__(
        self,
        label: str,
        *,
        most: int = WORDS_LENGTH_MAX,
        required: bool = True,
        **options: Any,
    ) -> None:
        checks = self._checks(required, _shown_only, _at_most(most))
        super().__init__(label, checks, filters=[lambda text: (text or "").strip()], **options)
        self.most, self.is_required = most, required


class LongWords(_Field, wtforms.TextAreaField):  # type: ignore[misc] # the library has no types
    """A text of several lines; blanks around it are dropped, and lines end as they do here."""

    def __init__(self, label: str, *, most: int, required: bool = True, **options: Any) -> None:
        checks = self._checks(required, _shown_only, _at_most(most))
        super().__init__(label, checks, filters=[_one_kind_of_line_end], **options)
        self.most, self.is_required = most, required


def _one_kind_of_line_end(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


class Password(_Field, wtforms.PasswordField):  # type: ignore[misc] # the library has no types
    """A password, taken as it is typed and never written back."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, self._checks(True), **options)  # noqa: FBT003 - the one choice
        self.is_required = True


class WholeNumber(_Field, wtforms.StringField):  # type: ignore[misc] # the library has no types
    """A whole number between two bounds; ``number`` is None until it is right.

    ``counted_in`` is a word that people write after it, and that is forgiven.
    """

    def __init__(
        self,
        label: str,
        *,
        least: int,
        most: int,
        required: bool = True,
        sentence: str = NOT_BETWEEN,
        counted_in: str = "",
        **options: Any,
    ) -> None:
        super().__init__(label, self._checks(required, self._judge), **options)
        self.counted_in = counted_in
        self.least, self.most, self.sentence = least, most, sentence
        self.is_required = required
        self.number: int | None = None

    def _judge(self, _form: object, _field: object) -> None:
        number = read_whole(str(self.data), counted_in=self.counted_in)
        if number is None:
            raise validators.ValidationError(say_in_words(NOT_A_NUMBER))
        if not self.least <= number <= self.most:
            sentence = say_in_words(self.sentence, least=self.least, most=self.most)
            raise validators.ValidationError(sentence)
        self.number = number

    @property
    def known(self) -> int:
        """The number of a field that must be filled in, after it was found right."""
        assert self.number is not None
        return self.number


class Day(_Field, wtforms.StringField):  # type: ignore[misc] # the library has no types
    """A day; ``day`` is None until it is right."""

    def __init__(self, label: str, *, required: bool = True, **options: Any) -> None:
        super().__init__(label, self._checks(required, self._judge), **options)
        self.is_required = required
        self.day: date | None = None

    def _judge(self, _form: object, _field: object) -> None:
        typed = unicodedata.normalize("NFKC", str(self.data)).strip().replace("/", "-")
        try:
            day = date.fromisoformat(typed)
        except ValueError:
            raise validators.ValidationError(say_in_words(NOT_A_DAY)) from None
        if not DAY_MIN <= day <= DAY_MAX:
            raise validators.ValidationError(say_in_words(TOO_FAR))
        self.day = day


class Choice(_Field, wtforms.StringField):  # type: ignore[misc] # the library has no types
    """One of several; ``choices`` are pairs of value and words, and may be set by the view.

    Words are sentences of ours, unless it ``holds_names``: those are shown as they are.
    """

    def __init__(
        self,
        label: str,
        choices: Sequence[tuple[str, str]] = (),
        *,
        required: bool = True,
        holds_names: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(label, [_chosen if required else validators.Optional()], **options)
        self.choices = list(choices)
        self.holds_names = holds_names
        self.is_required = required

    def pre_validate(self, form: object) -> None:
        """Refuse what is none of the choices, in our own words."""
        del form
        if self.data and self.data not in dict(self.choices):
            raise validators.StopValidation(say_in_words(NOT_A_CHOICE))


class Upload(wtforms.FileField):  # type: ignore[misc] # the library has no types
    """A file to send; its data are read by the view."""

    def __init__(self, label: str, *, accept: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.accept, self.is_required = accept, True
