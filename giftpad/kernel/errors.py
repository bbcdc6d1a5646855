"""The five kinds of refusal; a domain error is one of them with a stable code.

A refusal is an answer, not an accident: it carries a code that clients may rely on, and the
parameters that a translated sentence needs.  The kind maps to an HTTP status once, in ``edge``.
"""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """Something the domain refuses, with a stable ``code`` and the facts that explain it.

    ``sentence`` is the English source text, a ``str.format`` template over ``params``; it is
    also the key of the translation.  ``params`` must be JSON values and never hold a secret.
    """

    code: ClassVar[str]
    sentence: ClassVar[str]
    money_moved: ClassVar[bool] = False

    def __init__(self, **params: object) -> None:
        super().__init__(self.code)
        self.params = params

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence.format_map(_Lenient(self.params))}"


class _Lenient(dict[str, object]):
    """Leave an unknown placeholder as it stands, so that printing an error never raises."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class NotFound(DomainError):
    """There is no such thing, or none that this caller may know of."""


class Invalid(DomainError):
    """The request is understood, but a value in it cannot be accepted."""


class Conflict(DomainError):
    """The thing is in a state in which this cannot be done, or the same is still running."""


class Rejected(DomainError):
    """A rule of the business says no."""


class Unavailable(DomainError):
    """A part that is needed does not answer now; trying again later is right."""

    retry_after_s: int = 2


class TooMany(Unavailable):
    """A limit is reached; trying again after ``retry_after_s`` is right."""

    def __init__(self, *, retry_after_s: int, **params: object) -> None:
        super().__init__(retry_after_s=retry_after_s, **params)
        self.retry_after_s = retry_after_s
