"""Problems: every refusal as RFC 9457 problem JSON, in the caller's language.

Hides: which kind of refusal is which status.  What is unknown, forged or another's looks the same
to the byte; what nobody expected is logged with its trace and tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, g, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from giftpad import guard
from giftpad.edge.errors import (
    BodyMalformed,
    BodyTypeUnread,
    Forbidden,
    LengthMissing,
    Malformed,
    PermissionMissing,
    RequestInvalid,
    TokenMissing,
    Unauthenticated,
)
from giftpad.edge.faults import in_words
from giftpad.edge.payload import write_json
from giftpad.kernel.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    Rejected,
    TooMany,
    Unavailable,
)
from giftpad.kernel.i18n import (
    DEFAULT_LOCALE,
    LOCALES,
    SOURCE_LOCALE,
    choose_locale,
    mark,
    translate,
)
from giftpad.kernel.log import get_logger

log = get_logger("edge")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:giftpad:problem:"
LOCALE_COOKIE = "gp_lang"
LANGUAGES_LENGTH_MAX = 200
LOCALES_WISHED_MAX = 10
_LOCALE = re.compile("[A-Za-z0-9-]{2,35}")
"""What a header of languages says beyond that is not read."""
REALM = 'Bearer realm="giftpad"'

STATUSES: tuple[tuple[type[DomainError], HTTPStatus], ...] = (
    (Malformed, HTTPStatus.BAD_REQUEST),
    (BodyTypeUnread, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (LengthMissing, HTTPStatus.LENGTH_REQUIRED),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Rejected, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooMany, HTTPStatus.TOO_MANY_REQUESTS),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)

TITLES: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: mark("The request cannot be read"),
    HTTPStatus.UNAUTHORIZED: mark("Sign-in needed"),
    HTTPStatus.FORBIDDEN: mark("Not allowed"),
    HTTPStatus.NOT_FOUND: mark("Not found"),
    HTTPStatus.METHOD_NOT_ALLOWED: mark("Not possible here"),
    HTTPStatus.CONFLICT: mark("Not possible in this state"),
    HTTPStatus.LENGTH_REQUIRED: mark("The request cannot be read"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: mark("Too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: mark("Unknown format"),
    HTTPStatus.UNPROCESSABLE_ENTITY: mark("Refused"),
    HTTPStatus.TOO_MANY_REQUESTS: mark("Too many requests"),
    HTTPStatus.INTERNAL_SERVER_ERROR: mark("Something went wrong"),
    HTTPStatus.SERVICE_UNAVAILABLE: mark("Not available right now"),
}

HTTP_PROBLEMS: Mapping[int, tuple[str, str]] = {
    HTTPStatus.BAD_REQUEST: (BodyMalformed.code, BodyMalformed.sentence),
    HTTPStatus.NOT_FOUND: ("route.not_found", mark("There is nothing at this address.")),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "request.method_not_allowed",
        mark("This address does not know this method. See the header Allow."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "request.too_large",
        mark("The body of the request is too large."),
    ),
}
UNEXPECTED = (
    "internal.unexpected",
    mark("Something went wrong here. Try again with the same Idempotency-Key."),
)
_FIXED = frozenset(
    {"type", "title", "status", "code", "detail", "money_moved", "request_id", "errors"}
)


def status_of(error: DomainError) -> HTTPStatus:
    """Return the status that a kind of refusal is answered with."""
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return status
    raise AssertionError(type(error))


def locale_of(accept_language: str, default: str) -> str:
    """Return the locale that fits a header best; ``default`` where it says nothing of ours."""
    if len(accept_language) > LANGUAGES_LENGTH_MAX:  # nobody's browser; and it would be kept
        accept_language = accept_language[:LANGUAGES_LENGTH_MAX].rpartition(",")[0]
    return _locale_of(accept_language, default)


@lru_cache(maxsize=512)
def _locale_of(accept_language: str, default: str) -> str:
    accepted = parse_accept_header(accept_language, LanguageAccept)
    return choose_locale([tag for tag, quality in accepted if quality > 0], default)


def current_locale() -> str:
    """Return the locale in which the caller of this request reads best.

    On a page that is what was chosen there before, then what whoever sent the reader wished for,
    and Japanese for whoever says nothing.
    """
    accepted = request.environ.get("HTTP_ACCEPT_LANGUAGE", "")
    if not g.get("is_page", False):
        return locale_of(accepted, SOURCE_LOCALE)
    chosen = request.cookies.get(LOCALE_COOKIE, "")
    if chosen in LOCALES:
        return chosen
    return choose_locale(g.get("locales_wished", []), "") or locale_of(accepted, DEFAULT_LOCALE)


def wish_locales(tags: Sequence[str]) -> None:
    """Show this page in the first language of these that we have, unless its reader has chosen."""
    g.locales_wished = [tag for tag in tags[:LOCALES_WISHED_MAX] if _LOCALE.fullmatch(tag)]


MAYBE_MOVED = (Unavailable, guard.StillRunning, guard.KeyReused)
"""Refusals of a request whose first sending may have moved money."""


def _moved(error: DomainError) -> bool | None:
    """Whether money has moved; None when only a repeat with the same key can tell."""
    is_open = isinstance(error, MAYBE_MOVED) and not isinstance(error, TooMany)
    return None if is_open else error.money_moved


def _body(status: int, code: str, sentence: str, **more: object) -> dict[str, object]:
    locale = current_locale()
    params = more.pop("params", {})
    assert isinstance(params, Mapping)
    return {
        "type": TYPE_PREFIX + code,
        "title": translate(TITLES.get(status, HTTPStatus(status).phrase), locale),
        "status": int(status),
        "code": code,
        "detail": translate(sentence, locale, **params),
        **more,
    }


def _answer(body: dict[str, object], headers: Mapping[str, str]) -> Response:
    status = body["status"]
    assert isinstance(status, int)
    response = Response(write_json(body), status=status, mimetype=MEDIA_TYPE)
    response.headers["Content-Language"] = current_locale()
    response.headers.update(headers)
    return response


def answer_refusal(error: DomainError) -> Response:
    """Answer with what the domain, or the edge, refuses.

    Nothing in the answer to what is not found differs from one caller or object to the next.
    """
    status = status_of(error)
    body = _body(status, error.code, error.sentence, params=error.params, money_moved=_moved(error))
    if isinstance(error, RequestInvalid):
        body["errors"] = [
            fault | {"detail": in_words(fault["detail"], current_locale())}
            for fault in error.faults
        ]
    if status != HTTPStatus.NOT_FOUND:
        body |= {name: value for name, value in error.params.items() if name not in _FIXED}
        body["request_id"] = g.get("request_id", "")
    return _answer(body, _headers(error))


def _headers(error: DomainError) -> dict[str, str]:
    headers: dict[str, str] = {}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if isinstance(error, TokenMissing):
        headers["WWW-Authenticate"] = REALM
    elif isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = f'{REALM}, error="invalid_token"'
    elif isinstance(error, PermissionMissing):
        scope = error.params["permission"]
        headers["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    return headers


def answer_http(error: HTTPException) -> Response:
    """Answer with what Flask, Werkzeug or a schema refuses."""
    status = error.code
    if status is None or status < HTTPStatus.BAD_REQUEST:
        return cast("Response", Response.force_type(error.get_response(), request.environ))
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:  # only JSON is asked for through Werkzeug
        return answer_refusal(BodyTypeUnread(accepted="application/json"))
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        messages = (getattr(error, "data", None) or {}).get("messages", {})
        return answer_refusal(RequestInvalid(list(_faults(messages))))
    code, sentence = HTTP_PROBLEMS.get(status, (f"http.{status}", error.description or ""))
    more: dict[str, object] = {"money_moved": False}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        code, sentence = UNEXPECTED
        more["money_moved"] = None
    if status != HTTPStatus.NOT_FOUND:
        more["request_id"] = g.get("request_id", "")
    headers = {
        name: value
        for name, value in error.get_headers(request.environ)
        if name.lower() not in ("content-type", "content-length")
    }
    return _answer(_body(status, code, sentence, **more), headers)


def _faults(messages: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Return each fault of a request with its place: a JSON pointer, or a parameter's name."""
    for location, found in messages.items():
        for path, detail in _walk(found, ()):
            if location == "json":
                pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
                yield {"pointer": pointer, "detail": detail}
            else:
                yield {"in": location, "parameter": ".".join(path), "detail": detail}


def _walk(found: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(found, Mapping):
        for name, inner in found.items():
            yield from _walk(inner, path if name == "_schema" else (*path, str(name)))
    elif isinstance(found, list | tuple):
        for inner in found:
            yield from _walk(inner, path)
    else:
        yield path, str(found)


def answer_unexpected(error: Exception) -> Response:
    """Answer that something went wrong, and log what."""
    log.error("unexpected", exc_info=error, method=request.method, route=_route())
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code, sentence = UNEXPECTED
    body = _body(status, code, sentence, money_moved=None, request_id=g.get("request_id", ""))
    return _answer(body, {})


def _route() -> str:
    return request.url_rule.rule if request.url_rule is not None else ""


def init_problems(app: Flask) -> None:
    """Answer every refusal and every accident of ``app`` as a problem."""
    app.register_error_handler(DomainError, answer_refusal)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(Exception, answer_unexpected)
