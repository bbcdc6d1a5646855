"""The ground every endpoint of the API stands on.

Hides: flask-smorest's defaults that are not ours, where idempotency keys and cursors come from.
"""

from __future__ import annotations

import base64
import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import flask_smorest  # type: ignore[import-untyped] # the library has no types
import marshmallow as ma
import msgspec
from flask import Flask, Request, Response, request
from webargs.flaskparser import FlaskParser, abort, is_json_request
from werkzeug.exceptions import UnsupportedMediaType

from giftpad import guard
from giftpad.edge import (
    ESCAPED_NUL,
    BodyMalformed,
    BodyTypeUnread,
    CursorUnknown,
    HotCall,
    RequestInvalid,
    find_idempotency_key,
    idempotency_key,
    read_json,
    write_json,
)
from giftpad.kernel.work import Work

T = TypeVar("T")
C = TypeVar("C")
V = TypeVar("V", bound=Callable[..., object] | type)

TITLE = "Giftpad API"
VERSION = "1"
PREFIX = "/api/v1"
DOMAINS: tuple[str, ...] = (
    "programmes",
    "catalog",
    "shops",
    "shop_imports",
    "coupons",
    "gift_orders",
    "gift_invoices",
    "payments",
)
"""Modules of ``giftpad.api.v1`` whose blueprint ``blp`` is served, in the contract's order."""

PAGE_LIMIT = 50
PAGE_LIMIT_MAX = 200
CURSOR_LENGTH_MAX = 200
CURSOR_NUMBER_MAX = 2**63 - 1
"""The largest the database can compare with."""
_FAULT = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")
_FAULT_FIELD = re.compile(r"^Object (?:missing required|contains unknown) field `(.*)`$")

IDEMPOTENCY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A new value for each new action; the same value repeats the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


class BodyParser(FlaskParser):
    """Read JSON strictly; what has another type, or is missing, is never taken for ``{}``."""

    def _raw_load_json(self, req: Request) -> Any:
        if is_json_request(req):
            try:
                return read_json(req.get_data(cache=True))
            except ValueError as error:
                abort(400, exc=error)
        raise BodyTypeUnread(accepted="application/json")


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc] # the library has no types
    """The blueprint of one domain's endpoints."""

    ARGUMENTS_PARSER = BodyParser()

    if TYPE_CHECKING:

        def route(self, rule: str, **options: Any) -> Callable[[V], V]:
            """Serve a view at ``rule``."""

        def arguments(self, schema: object, **options: Any) -> Callable[[V], V]:
            """Read a part of the request by ``schema`` and hand it to the view."""

        def response(self, status: int, schema: object = None, **options: Any) -> Callable[[V], V]:
            """Write what the view returns by ``schema``."""

        def alt_response(self, status: int, **options: Any) -> Callable[[V], V]:
            """Document another answer."""

        def doc(self, **content: Any) -> Callable[[V], V]:
            """Document an operation by hand."""


class ProblemFaultSchema(ma.Schema):
    """One value that cannot be accepted, and where it stands."""

    pointer = ma.fields.String(metadata={"description": "JSON pointer into the body"})
    parameter = ma.fields.String(metadata={"description": "Name of a parameter"})
    location = ma.fields.String(
        data_key="in", metadata={"description": "Where the parameter stands"}
    )
    detail = ma.fields.String(required=True)


class ProblemSchema(ma.Schema):
    """A refusal, by RFC 9457; further members are facts, such as ``balance_minor``."""

    class Meta:
        """Facts that belong to a code stand beside the members listed."""

        unknown = ma.INCLUDE

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    code = ma.fields.String(
        required=True, metadata={"description": "Stable: programs may rely on it"}
    )
    detail = ma.fields.String(
        required=True, metadata={"description": "For people, in the language of Accept-Language"}
    )
    money_moved = ma.fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "null: not known, ask again with the same Idempotency-Key"},
    )
    request_id = ma.fields.String(metadata={"description": "Absent where nothing is found"})
    errors = ma.fields.List(ma.fields.Nested(ProblemFaultSchema))


class Api(flask_smorest.Api):  # type: ignore[misc] # the library has no types
    """flask-smorest without its own error format: the edge answers every refusal."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to the edge."""


def current_request_hash() -> bytes:
    """Return what tells this request from another one with the same key: route, query, body."""
    path = request.path
    if request.query_string:
        path += "?" + request.query_string.decode("latin-1")
    return guard.request_hash(request.method, path, request.get_data(cache=True))


def idempotent(
    work: Work,
    effect: Callable[[], object],
    *,
    schema: type[ma.Schema] | ma.Schema,
    status: int = 201,
    kept_for: timedelta = guard.KEPT_FOR_OTHERS,
    required: bool = True,
) -> Response:
    """Do ``effect`` once for the request's key, and give the first answer to each repeat.

    The answer is what ``schema`` makes of what ``effect`` returns; it must hold no secret and
    name nobody, for it is kept as long as the key.
    Locks: the key's row.
    Raises: IdempotencyKeyMissing, IdempotencyKeyInvalid, KeyReused, StillRunning.
    """
    shape = schema() if isinstance(schema, type) else schema
    key = idempotency_key() if required else find_idempotency_key()
    if key is None:
        return answer(shape.dump(effect()), status=status)
    first = guard.once(work, key, current_request_hash())
    if first is not None:
        repeated = answer(first.body, status=first.status)
        repeated.headers["Idempotent-Replayed"] = "true"
        return repeated
    body = shape.dump(effect())
    guard.remember(work, key, guard.Answer(status, body), kept_for=kept_for)
    return answer(body, status=status)


def answer(body: object, *, status: int = 200) -> Response:
    """Answer with JSON as it stands."""
    return Response(write_json(body), status=status, mimetype="application/json")


def encode_cursor(last: object) -> str:
    """Write where a list goes on as an opaque text."""
    return base64.urlsafe_b64encode(str(last).encode()).rstrip(b"=").decode()


def decode_cursor(text: str | None, kind: Callable[[str], C] = UUID) -> C | None:  # type: ignore[assignment] # mypy cannot default a type variable
    """Read back what ``encode_cursor`` wrote of a ``kind``; None begins the list.

    Raises: CursorUnknown.
    """
    if text is None:
        return None
    if len(text) > CURSOR_LENGTH_MAX:
        raise CursorUnknown
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        last = kind(raw.decode())
    except ValueError:
        raise CursorUnknown from None
    if encode_cursor(last) != text or (isinstance(last, int) and abs(last) > CURSOR_NUMBER_MAX):
        raise CursorUnknown
    return last


class CursorQuery(ma.Schema):
    """Which page of a list."""

    limit = ma.fields.Integer(
        load_default=PAGE_LIMIT, validate=ma.validate.Range(min=1, max=PAGE_LIMIT_MAX)
    )
    cursor = ma.fields.String(
        metadata={
            "description": "The next_cursor of the page before.",
            "minLength": 1,
            "maxLength": CURSOR_LENGTH_MAX,
            "pattern": "^[A-Za-z0-9_-]+$",
        }
    )


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[T]):
    """One page of a list; ``next_cursor`` is None at its end."""

    items: Sequence[T]
    next_cursor: str | None


def make_page(items: Sequence[T], next_after: object | None) -> CursorPage[T]:
    """Return one page of a list that goes on after ``next_after``, or ends if that is None."""
    return CursorPage(items, encode_cursor(next_after) if next_after is not None else None)


def read_body(call: HotCall, kind: type[T]) -> T:
    """Read the body of a hot route as the struct ``kind``.

    Raises: BodyMalformed, RequestInvalid, UnsupportedMediaType.
    """
    if not call.is_json:
        raise UnsupportedMediaType
    if ESCAPED_NUL in call.body:
        raise BodyMalformed
    try:
        return msgspec.json.decode(call.body, type=kind)
    except msgspec.ValidationError as error:
        raise RequestInvalid([_fault(str(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyMalformed from error


def _fault(sentence: str) -> dict[str, str]:
    """Turn msgspec's words for a fault into its place and what is wrong there."""
    found = _FAULT.fullmatch(sentence)
    assert found is not None
    parts = _PATH_PART.findall(found["path"] or "")
    pointer = "".join("/" + (name or index) for name, index in parts)
    field = _FAULT_FIELD.search(found["what"])
    if field is not None:
        pointer += "/" + field[1]
    return {"pointer": pointer, "detail": found["what"]}


def init_api(app: Flask) -> Api:
    """Serve the blueprint of every domain under ``PREFIX``."""
    app.config.update(API_TITLE=TITLE, API_VERSION=VERSION, OPENAPI_VERSION="3.1.0")
    api = Api(app)
    for domain in DOMAINS:
        module = importlib.import_module(f"giftpad.api.v1.{domain}")
        assert isinstance(module.blp, Blueprint), "its bodies would not be read strictly"
        api.register_blueprint(module.blp, url_prefix=PREFIX)
    return api
