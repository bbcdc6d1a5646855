"""One request from its first byte read to its last header written.

Hides: Flask's hooks.  In this order: an id, the door's declaration, the size of the body, the
caller, the permission, the rate, on a page the form; afterwards the headers every answer carries
and one log line.
"""

from __future__ import annotations

import re
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from giftpad import guard, identity
from giftpad.edge.access import BODY_MAX, Door, find_door, is_closed
from giftpad.edge.bodies import FAULT, LENGTH_DIGITS_MAX
from giftpad.edge.callers import Caller, forget_callers, identify
from giftpad.edge.errors import (
    BodyMalformed,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    PartClosed,
    PermissionMissing,
    ProofOld,
)
from giftpad.edge.limits import admit_caller, limit_headers
from giftpad.edge.pages import check_page_form, finish_page, init_pages, wants_page
from giftpad.edge.payload import OrjsonProvider
from giftpad.edge.problems import init_problems
from giftpad.edge.sessions import let_person_in
from giftpad.kernel import metrics
from giftpad.kernel.errors import DomainError
from giftpad.kernel.ids import new_id
from giftpad.kernel.log import log_request
from giftpad.kernel.work import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
KEY_LENGTH_MAX = 255
_KEY = re.compile(r"[!-~]{1,255}")
_QUIET = frozenset({"/healthz", "/readyz"})
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)


def current_caller() -> Caller:
    """Return who calls; only behind a door that asks who does."""
    caller: Caller = g.caller
    return caller


def current_scope() -> Scope:
    """Return on whose behalf this request is served; only behind a door that asks who calls."""
    known = g._get_current_object()  # noqa: SLF001 - each look through the proxy costs
    return scope_of(known.caller, known.request_id)


def scope_of(caller: Caller, request_id: str) -> Scope:
    """Return on whose behalf a request of ``caller`` is served."""
    return Scope(
        tenant_id=caller.tenant.id,
        actor=caller.actor,
        permissions=caller.claims.permissions,
        request_id=request_id,
    )


def demand(permission: str) -> None:
    """Ask for one permission more than the door did, for a part of what a route can do.

    Raises: PermissionMissing.
    """
    caller: Caller = g.caller
    if permission not in caller.claims.permissions:
        raise PermissionMissing(permission=permission)


def request_id() -> str:
    """Return the id by which this request is found in the logs."""
    found: str = g.request_id
    return found


def find_idempotency_key() -> str | None:
    """Return the request's idempotency key, if it carries one.

    Raises: IdempotencyKeyInvalid.
    """
    return key_in(request.environ)


def key_in(environ: WSGIEnvironment) -> str | None:
    """Return the idempotency key that a request's headers carry, if they carry one.

    Raises: IdempotencyKeyInvalid.
    """
    key: str | None = environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not _KEY.fullmatch(key):
        raise IdempotencyKeyInvalid(most=KEY_LENGTH_MAX)
    return key


def idempotency_key() -> str:
    """Return the request's idempotency key.

    Raises: IdempotencyKeyMissing, IdempotencyKeyInvalid.
    """
    key = find_idempotency_key()
    if key is None:
        raise IdempotencyKeyMissing
    return key


def _enter(app: Flask) -> None:
    """Judge a request before its view sees anything of it."""
    environ = request.environ
    g.started_at = time.perf_counter()
    g.request_id = request_id_of(environ)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if "%00" in environ.get("QUERY_STRING", "") or "\0" in request.path:
        g.is_page = wants_page()
        raise BodyMalformed
    rule = request.url_rule
    if rule is None:
        g.is_page = wants_page()
        return
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return
    door = find_door(app, rule.endpoint, request.method)
    g.is_page = door.is_page
    if is_closed(app, rule.endpoint):
        raise PartClosed
    if FAULT in environ:
        fault: DomainError = environ[FAULT]
        raise fault
    if (_said_length(environ) or 0) > door.body_max:
        raise RequestEntityTooLarge
    if door.body_max != BODY_MAX:
        request.max_content_length = door.body_max
    if not door.access.is_public:
        _let_in(door)
    if door.is_page:
        _judge_form(door)


def request_id_of(environ: WSGIEnvironment) -> str:
    """Return the id a request brings along, if it is fit to be logged, else a new one."""
    given: str = environ.get("HTTP_X_REQUEST_ID", "")
    return given if given and REQUEST_ID.fullmatch(given) else new_id().hex


def _said_length(environ: WSGIEnvironment) -> int | None:
    """Return the length a request says its body has; None if it says none."""
    said: str = environ.get("CONTENT_LENGTH", "")
    if not (said.isascii() and said.isdecimal()):
        return None
    return int(said) if len(said) <= LENGTH_DIGITS_MAX else sys.maxsize


def _let_in(door: Door) -> None:
    """Ask who calls, whether they may, and whether not too fast."""
    if door.is_page:
        caller = let_person_in()
    else:
        g.caller = caller = identify(request.environ.get("HTTP_AUTHORIZATION"))
    for permission in door.access.permissions:
        demand(permission)
    assert door.is_page or not door.access.is_fresh, "only a person proves who they are once more"
    try:
        admit_caller(caller)
    except guard.RateExceeded as error:
        g.limit_headers = limit_headers(caller.rate, error)
        raise


def _judge_form(door: Door) -> None:
    """Refuse a form that is not ours; then one of somebody who proved long ago who they are.

    What asks for a fresh proof is nothing that an operator does on a visit.
    Raises: ConnectionOpen, FormForeign, BodyMalformed, VisitTooNarrow, ProofOld.
    """
    check_page_form()
    if door.access.is_fresh and g.caller.claims.visit_id is not None:
        raise identity.VisitTooNarrow
    if door.access.is_fresh and time.time() - g.caller.claims.proved_at > identity.PROOF_FRESH_S:
        raise ProofOld


def _leave(response: Response) -> Response:
    """Write the headers every answer carries, and the one line of the log."""
    headers, known = response.headers, g._get_current_object()  # noqa: SLF001 - as above
    if known.get("is_page", False):
        finish_page(response)
    for name, value in HEADERS:
        if name not in headers:
            headers[name] = value
    request_id = known.get("request_id", "")
    headers["X-Request-Id"] = request_id
    if FAULT in request.environ:  # what follows on this connection may be the rest of the body
        headers["Connection"] = "close"
    if "limit_headers" in known:
        headers.update(known.limit_headers)
    rule = request.url_rule
    log_answer(
        request.method,
        rule.rule if rule is not None else "",
        response.status_code,
        known.started_at,
        caller=known.get("caller"),
        request_id=request_id,
    )
    return response


def log_answer(
    method: str,
    route: str,
    status: int,
    started_at: float,
    *,
    caller: Caller | None,
    request_id: str,
) -> None:
    """Write the one line that each answered request leaves in the log, and count it."""
    seconds = time.perf_counter() - started_at
    tenant = caller.tenant.slug if caller is not None else ""
    metrics.note_request(route, method, status, seconds, tenant=tenant)
    if route in _QUIET:
        return
    log_request(
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        client=caller.actor.client_id if caller is not None else "",
        tenant=tenant,
        request_id=request_id,
    )


def init_edge(app: Flask) -> None:
    """Put the edge in front of every route of ``app``."""
    forget_callers()
    app.json = OrjsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX
    app.before_request(partial(_enter, app))
    app.after_request(_leave)
    init_problems(app)
    init_pages(app)
