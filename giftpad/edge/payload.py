"""JSON at the wire, by orjson: strict when it is read, exact when it is written."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import JSONProvider

ESCAPED_NUL = b"\\u0000"


def write_json(value: object) -> bytes:
    """Return ``value`` as JSON; UUIDs and instants as their texts, an instant in UTC with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def read_json(text: str | bytes) -> Any:
    """Read JSON as RFC 8259 has it, and refuse the character NUL, which no text column takes.

    ValueError if it is anything else.
    """
    raw = text.encode() if isinstance(text, str) else text
    if ESCAPED_NUL in raw:
        message = "the character NUL"
        raise orjson.JSONDecodeError(message, raw.decode(errors="replace"), raw.find(ESCAPED_NUL))
    return orjson.loads(raw)


class OrjsonProvider(JSONProvider):
    """Flask's JSON, by orjson."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write JSON as text."""
        del kwargs
        return write_json(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON."""
        del kwargs
        return read_json(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        """Answer with JSON."""
        body = write_json(self._prepare_response_obj(args, kwargs)).decode()
        return self._app.response_class(body, mimetype="application/json")
