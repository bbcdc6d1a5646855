"""Structured logs: one JSON object a line, with the request's id, without secrets.

Hides: structlog's set-up and the redaction.  What looks like a code, a token or a key is masked
by its shape wherever it stands, and by its name where the name says it is secret.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import orjson
import structlog

from giftpad.kernel.config import Settings

SECRET_NAMES = frozenset(
    {
        "authorization",
        "client_secret",
        "code",
        "code_hash",
        "cookie",
        "password",
        "qr",
        "refresh_token",
        "access_token",
        "secret",
        "token",
        "typed_code",
    }
)
_MASKS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/Q/[0-9A-Za-z]{8,}"), "/Q/***"),
    (re.compile(r"/[Gg]/[0-9A-Za-z]{20,}"), "/g/***"),
    (re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), "<jwt>"),
    (re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}\b", re.IGNORECASE), "****"),
    (re.compile(r"\b[0-9A-HJKMNP-TV-Z]{16}\b"), "****"),
    (re.compile(r"://([^:/@\s]+):[^@\s]+@"), r"://\1:***@"),
)


def redact_text(text: str) -> str:
    """Mask what looks like a code, a token or a password inside ``text``."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _redact(value: object) -> object:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {
            k: "***" if str(k).lower() in SECRET_NAMES else _redact(v) for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact(item) for item in value]
    return value


def redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask the secrets of one log line."""
    for key, value in event.items():
        event[key] = "***" if key.lower() in SECRET_NAMES else _redact(value)
    return event


class _Stream(io.TextIOBase):
    """Standard error, on which nothing fails: a full disk must not take a payment's answer away."""

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


_stream = cast(TextIO, _Stream())


def configure_logging(settings: Settings) -> None:
    """Send this process's logs, and those of its libraries, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if settings.log_format == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=_stream),
        cache_logger_on_first_use=True,
    )
    _Lines.is_fast = settings.log_format != "console" and level <= logging.INFO
    handler = logging.StreamHandler(_stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared)
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def log_request(*, request_id: str, **facts: object) -> None:
    """Write the line of one answered request.

    It is the line that ``get_logger("http").info("request", …)`` would write, made in a tenth of
    the time: the facts are the product's own words, and only the id may be the caller's.
    """
    if not _Lines.is_fast:
        _requests.info("request", request_id=request_id, **facts)
        return
    line = {"room": "http", **facts, "event": "request", "request_id": redact_text(request_id)}
    line |= {"level": "info", "timestamp": datetime.now(UTC)}
    _stream.write(orjson.dumps(line, option=orjson.OPT_UTC_Z).decode() + "\n")
    _stream.flush()


class _Lines:
    """How this process writes its log."""

    is_fast = False
    """Whether a line of a request may be written past structlog: as JSON, and at this level."""


def get_logger(name: str) -> Any:
    """Return a logger whose lines carry ``name``; it takes its set-up from its first line on."""
    return structlog.get_logger(room=name)


_requests = get_logger("http")
