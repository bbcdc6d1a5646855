"""Answers to those who are turned away at the door: made once, given many times.

Hides: that sentences, pages and headers are put together beforehand.  Giving one costs a look
into a table, so that turning away is far cheaper than letting in.  A page is drawn by the same
hand as all others, for nobody in particular: it holds no form that is posted, for that belongs
to one visitor.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from flask import Flask, g

from giftpad import guard
from giftpad.edge.pages import CONTENT_SECURITY_POLICY, MACHINE_PREFIXES, RENDERER, Renderer
from giftpad.edge.payload import write_json
from giftpad.edge.problems import LOCALE_COOKIE, MEDIA_TYPE, TITLES, TYPE_PREFIX, locale_of
from giftpad.edge.requests import HEADERS, REQUEST_ID
from giftpad.kernel.errors import DomainError, Unavailable
from giftpad.kernel.i18n import DEFAULT_LOCALE, LOCALES, SOURCE_LOCALE, translate
from giftpad.kernel.log import get_logger

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = get_logger("edge")

STATUS = HTTPStatus.SERVICE_UNAVAILABLE
STATUS_LINE = f"{STATUS.value} {STATUS.phrase}"
SENTINEL = "\N{HOURGLASS}"
"""Stands in a page made beforehand where the hour of a turn is to stand."""
OFF_RETRY_S = 300
_FORMS = re.compile(r'<form\b(?![^>]*method="get").*?</form>', re.DOTALL)
_CHOSEN = re.compile(rf"(?:^|[;\s]){LOCALE_COOKIE}=({'|'.join(LOCALES)})(?:;|$)")
SIDES = frozenset({"desk", "shop", "Q", "balance", "t"})
"""First parts of addresses whose pages differ in where they lead on."""
_LOOKS = frozenset({"GET", "HEAD"})

Header = tuple[str, str]


class Reader(NamedTuple):
    """Who is answered: a machine or a person, in which language, after a look or an act.

    ``may_have_paid``: it is a form that pays, and may have been sent before.  ``side`` is the
    address of the pages that a person is on, or "/".
    """

    locale: str
    is_look: bool
    is_person: bool = False
    wants_part: bool = False
    may_have_paid: bool = False
    side: str = "/"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; ``headers`` lacks nothing but what the request itself adds."""

    headers: tuple[Header, ...]
    body: bytes
    is_as_wanted: bool = True
    """Whether people get a page, and so whether it is good for the next time."""

    def send(
        self, environ: WSGIEnvironment, start: StartResponse, more: Iterable[Header] = ()
    ) -> list[bytes]:
        """Answer a request with it."""
        headers = [*self.headers, *more]
        given = environ.get("HTTP_X_REQUEST_ID")
        if given is not None and REQUEST_ID.fullmatch(given):
            headers.append(("X-Request-Id", given))
        start(STATUS_LINE, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


def reader_of(environ: WSGIEnvironment) -> Reader:
    """Return who is to be answered."""
    accepted = environ.get("HTTP_ACCEPT_LANGUAGE", "")
    is_look = environ["REQUEST_METHOD"] in _LOOKS
    is_machine = environ["PATH_INFO"].startswith(MACHINE_PREFIXES)
    if is_machine or "text/html" not in environ.get("HTTP_ACCEPT", ""):
        return Reader(locale=locale_of(accepted, SOURCE_LOCALE), is_look=is_look)
    chosen = _CHOSEN.search(environ.get("HTTP_COOKIE", ""))
    return Reader(
        locale=chosen[1] if chosen else locale_of(accepted, DEFAULT_LOCALE),
        is_person=True,
        wants_part="HTTP_HX_REQUEST" in environ,
        is_look=is_look,
        # Whoever's session is over meanwhile may have paid before, so it is not asked for here.
        may_have_paid=not is_look and environ["PATH_INFO"].startswith("/shop/"),
        side=_side_of(environ["PATH_INFO"]),
    )


def _side_of(path: str) -> str:
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return f"/{first}" if first in SIDES else "/"


def problem(error: DomainError, locale: str, retry_after_s: int) -> dict[str, object]:
    """Say a refusal as problem JSON does; it has moved no money, for nothing was begun."""
    params = {"retry_after_s": retry_after_s} | error.params
    return {
        "type": TYPE_PREFIX + error.code,
        "title": translate(TITLES[STATUS], locale),
        "status": STATUS.value,
        "code": error.code,
        "detail": translate(error.sentence, locale, **params),
        "money_moved": False,
        **params,
    }


def answer_to(reader: Reader, body: bytes, retry_after_s: int) -> Answer:
    """Put the headers of a refusal around its body."""
    kind = "text/html; charset=utf-8" if reader.is_person else MEDIA_TYPE
    policy = [("Content-Security-Policy", CONTENT_SECURITY_POLICY.format(wasm="", forms=""))]
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("Content-Language", reader.locale),
        ("Retry-After", str(retry_after_s)),
        *(header for header in HEADERS if not (reader.is_person and header[0] == policy[0][0])),
        *(policy if reader.is_person else ()),
    ]
    return Answer(tuple(headers), body)


class Answers:
    """The refusals of one application, each made when it is first needed."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._made: dict[tuple[object, ...], Answer] = {}
        self._drawn: dict[tuple[object, ...], str] = {}
        self._drawing = threading.RLock()

    def get(self, refusal: type[DomainError], reader: Reader, retry_after_s: int) -> Answer:
        """Return the answer that says a refusal which is the same for everybody."""
        key = (refusal, reader, retry_after_s)
        found = self._made.get(key)
        if found is None:
            found = self._make(refusal(), reader, retry_after_s)
            if found.is_as_wanted:
                self._made[key] = found
        return found

    def not_your_turn(self, reader: Reader, *, at: str, turn_at: str, retry_after_s: int) -> Answer:
        """Answer when this visitor's turn begins: ``at`` by the clock, ``turn_at`` for machines."""
        if reader.is_person:
            page = self._page(guard.NotYourTurn(at=SENTINEL), reader, 0)
            if page is not None:
                return answer_to(reader, page.replace(SENTINEL, at).encode(), retry_after_s)
        return _as_problem(guard.NotYourTurn(at=at), reader, retry_after_s, turn_at=turn_at)

    def _make(self, error: DomainError, reader: Reader, retry_after_s: int) -> Answer:
        page = self._page(error, reader, retry_after_s) if reader.is_person else None
        if page is not None:
            return answer_to(reader, page.encode(), retry_after_s)
        return _as_problem(error, reader, retry_after_s)

    def _page(self, error: DomainError, reader: Reader, retry_after_s: int) -> str | None:
        """Draw a refusal for people; None while that cannot be done."""
        key = (error.code, reader, retry_after_s)
        with self._drawing:
            if key not in self._drawn:
                drawn = self._draw(error, reader, retry_after_s)
                if drawn is None:
                    return None
                self._drawn[key] = drawn
            return self._drawn[key]

    def _draw(self, error: DomainError, reader: Reader, retry_after_s: int) -> str | None:
        said = problem(error, reader.locale, retry_after_s)
        headers = {"Accept": "text/html", "Accept-Language": reader.locale}
        if reader.wants_part:
            headers["HX-Request"] = "true"
        method = "GET" if reader.is_look else "POST"
        with self._app.test_request_context(reader.side, method=method, headers=headers):
            g.request_id, g.is_page = "", True
            renderer: Renderer = self._app.extensions[RENDERER]
            try:
                page = renderer(
                    STATUS,
                    code=error.code,
                    detail=str(said["detail"]),
                    # What was sent before under the same key, the door does not know.
                    money_moved=None if reader.may_have_paid else False,
                    retry_after_s=retry_after_s or None,
                    permission="",
                )
            except Unavailable as away:
                log.warning("the page of a refusal could not be drawn", error=away.code)
                return None
        return _FORMS.sub("", page)


def _as_problem(error: DomainError, reader: Reader, retry_after_s: int, **more: object) -> Answer:
    """Answer as to a machine: also to a person, when the page cannot be drawn."""
    body = write_json(problem(error, reader.locale, retry_after_s) | more)
    answer = answer_to(reader._replace(is_person=False), body, retry_after_s)
    return replace(answer, is_as_wanted=not reader.is_person)
