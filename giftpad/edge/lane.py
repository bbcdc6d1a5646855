"""The lane: hot routes served without Flask, as long as nothing is unusual.

A request takes it if its method and path are those of a hot route, and its headers say a plain
JSON body of a known length.  It is judged by the same checks in the same order as any other:
token, permission, rate, key, body.  Whatever is odd goes on to Flask unread, and whatever is
refused is told by Flask, in its own context; so a refusal has one author, and the lane knows only
how to say yes.  Both ways answer with the same bytes: tests/api/v1/test_lane.py.

Hides: how a request is taken from WSGI, the headers of an answer.
"""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from flask import Flask, Response, g, request

from giftpad import guard
from giftpad.edge.access import Door, declared, find_door, is_closed
from giftpad.edge.bodies import LENGTH_DIGITS_MAX
from giftpad.edge.callers import Caller, identify
from giftpad.edge.errors import IdempotencyKeyMissing, PermissionMissing
from giftpad.edge.limits import admit_caller, limit_headers
from giftpad.edge.problems import current_locale, locale_of
from giftpad.edge.requests import (
    HEADERS,
    current_scope,
    find_idempotency_key,
    key_in,
    log_answer,
    request_id_of,
    scope_of,
)
from giftpad.kernel.i18n import SOURCE_LOCALE
from giftpad.kernel.work import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

V = TypeVar("V")
JSON = "application/json"
_PLAIN_TYPES = frozenset(
    {JSON, "application/json; charset=utf-8", "application/json;charset=utf-8"}
)
_HOT = "giftpad_hot"


@dataclass(frozen=True, slots=True, kw_only=True)
class HotCall:
    """One call of a hot route: on whose behalf, under which key, with which body."""

    scope: Scope
    path: str
    key: str | None
    body: bytes
    is_json: bool = True
    locale: str

    def need_key(self) -> str:
        """Return the idempotency key.

        Raises: IdempotencyKeyMissing.
        """
        if self.key is None:
            raise IdempotencyKeyMissing
        return self.key

    def request_hash(self) -> bytes:
        """Return what tells this request from another one with the same key."""
        return guard.request_hash("POST", self.path, self.body)


HotView = Callable[[Any, HotCall], bytes]


def hot(status: int) -> Callable[[HotView], Callable[[Any], Response]]:
    """Make a view of a function that answers a call with JSON; the lane serves it as well.

    The function takes a POST, raises its refusals, and asks nothing of Flask.
    """

    def make_view(answer: HotView) -> Callable[[Any], Response]:
        @functools.wraps(answer)
        def view(self: Any) -> Response:
            path = request.path
            if request.query_string:
                path += "?" + request.query_string.decode("latin-1")
            call = HotCall(
                scope=current_scope(),
                path=path,
                key=find_idempotency_key(),
                body=request.get_data(cache=True),
                is_json=request.is_json,
                locale=current_locale(),
            )
            return Response(answer(self, call), status=status, mimetype=JSON)

        setattr(view, _HOT, (answer, status))
        return view

    return make_view


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    rule: str
    door: Door
    answer: Callable[[HotCall], bytes]
    status: int
    line: str


class Lane:
    """The lane of one application; it stands right in front of Flask."""

    def __init__(self, app: Flask, inner: WSGIApplication) -> None:
        self.app, self.inner = app, inner
        self.routes: dict[str, _Route] = {}
        for rule in app.url_map.iter_rules():
            if rule.arguments or "POST" not in (rule.methods or ()):
                continue
            if is_closed(app, rule.endpoint):
                continue
            found = declared(app, rule.endpoint, "POST", _HOT)
            if not isinstance(found, tuple):
                continue
            answer, status = found
            view: Any = app.view_functions[rule.endpoint]
            self.routes[rule.rule] = _Route(
                rule=rule.rule,
                door=find_door(app, rule.endpoint, "POST"),
                answer=functools.partial(answer, view.view_class()),
                status=status,
                line=f"{status} {HTTPStatus(status).phrase.upper()}",
            )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a hot route, or hand the request on."""
        if environ["REQUEST_METHOD"] != "POST":
            return self.inner(environ, start_response)
        route = self.routes.get(environ["PATH_INFO"])
        length = 0 if route is None else _plain_length(environ, route.door.body_max)
        if route is None or not length:
            return self.inner(environ, start_response)
        return self._serve(environ, start_response, route, length)

    def _serve(
        self, environ: WSGIEnvironment, start: StartResponse, route: _Route, length: int
    ) -> Iterable[bytes]:
        started_at = time.perf_counter()
        request_id = request_id_of(environ)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        caller: Caller | None = None
        try:
            caller = identify(environ.get("HTTP_AUTHORIZATION"))
            permissions = caller.claims.permissions
            for permission in route.door.access.permissions:
                if permission not in permissions:
                    raise PermissionMissing(permission=permission)  # noqa: TRY301 - told below
            admit_caller(caller)
            body = environ["wsgi.input"].read(length)
            environ["wsgi.input"] = io.BytesIO(body)
            if len(body) != length:  # the caller went away in the middle: Flask knows the words
                return self.inner(environ, start)
            content = route.answer(
                HotCall(
                    scope=scope_of(caller, request_id),
                    path=route.rule,
                    key=key_in(environ),
                    body=body,
                    locale=locale_of(environ.get("HTTP_ACCEPT_LANGUAGE", ""), SOURCE_LOCALE),
                )
            )
        except Exception as error:  # noqa: BLE001 - refused or unexpected: Flask tells them apart
            return self._refuse(environ, start, error, (started_at, request_id, caller))
        start(
            route.line,
            [
                ("Content-Type", JSON),
                ("Content-Length", str(len(content))),
                *HEADERS,
                ("X-Request-Id", request_id),
            ],
        )
        log_answer(
            "POST", route.rule, route.status, started_at, caller=caller, request_id=request_id
        )
        return [content]

    def _refuse(
        self,
        environ: WSGIEnvironment,
        start: StartResponse,
        error: Exception,
        known: tuple[float, str, Caller | None],
    ) -> Iterable[bytes]:
        """Let Flask tell an error, as if one of its views had raised it."""
        with self.app.request_context(environ):
            g.started_at, g.request_id, caller = known
            g.is_page = False
            if caller is not None:
                g.caller = caller
                if isinstance(error, guard.RateExceeded):
                    g.limit_headers = limit_headers(caller.rate, error)
            answered = self.app.handle_user_exception(error)
            return self.app.finalize_request(answered)(environ, start)


def _plain_length(environ: WSGIEnvironment, body_max: int) -> int:
    """Return the length of a plain JSON body; 0 for a request with anything unusual about it."""
    said: str = environ.get("CONTENT_LENGTH", "")
    if (
        environ.get("CONTENT_TYPE", "").lower() not in _PLAIN_TYPES
        or environ.get("QUERY_STRING")
        or environ.get("SCRIPT_NAME")
        or "HTTP_TRANSFER_ENCODING" in environ
        or not (said.isascii() and said.isdecimal() and len(said) <= LENGTH_DIGITS_MAX)
    ):
        return 0
    length = int(said)
    return length if length <= body_max else 0


def laned(app: Flask) -> Lane:
    """Put the lane in front of an application whose routes are all there."""
    return Lane(app, app.wsgi_app)
