"""The edge: what both machines and people pass before the domain is asked.

Knows: tokens and scope, sessions, declared access, limits, request ids, problems, JSON, Flask.
Hides: how a caller is verified without a query, which refusal is which status, sealed cookies,
forged forms, the headers.
Does not know: routes, what a page shows, coupons, money.
"""

from giftpad.edge.access import (
    Access,
    AccessUndeclared,
    Door,
    body_limit,
    check_access,
    find_door,
    list_doors,
    public,
    requires,
)
from giftpad.edge.callers import Caller, Person
from giftpad.edge.cookies import (
    clear_cookie,
    demand_private_connection,
    is_loopback,
    open_text,
    read_sealed_cookie,
    seal_text,
    set_sealed_cookie,
)
from giftpad.edge.csrf import csrf_token
from giftpad.edge.errors import (
    BodyMalformed,
    BodyTypeUnread,
    ConnectionOpen,
    CursorUnknown,
    Forbidden,
    FormForeign,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    Malformed,
    PermissionMissing,
    RequestInvalid,
    SessionMissing,
    TenantClosed,
    TokenInvalid,
    TokenMissing,
    Unauthenticated,
)
from giftpad.edge.lane import HotCall, hot, laned
from giftpad.edge.limits import limit_headers
from giftpad.edge.overload import guarded, watch
from giftpad.edge.pages import Renderer, allow_wasm, answer_pages_with, register_pages
from giftpad.edge.payload import ESCAPED_NUL, OrjsonProvider, read_json, write_json
from giftpad.edge.problems import (
    LOCALE_COOKIE,
    MEDIA_TYPE,
    answer_refusal,
    current_locale,
    status_of,
)
from giftpad.edge.requests import (
    current_caller,
    current_scope,
    demand,
    find_idempotency_key,
    idempotency_key,
    init_edge,
    request_id,
)
from giftpad.edge.sessions import (
    end_session,
    find_caller,
    source_address,
    start_session,
)
from giftpad.edge.spreadsheets import write_line

__all__ = [
    "ESCAPED_NUL",
    "LOCALE_COOKIE",
    "MEDIA_TYPE",
    "Access",
    "AccessUndeclared",
    "BodyMalformed",
    "BodyTypeUnread",
    "Caller",
    "ConnectionOpen",
    "CursorUnknown",
    "Door",
    "Forbidden",
    "FormForeign",
    "HotCall",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyMissing",
    "Malformed",
    "OrjsonProvider",
    "PermissionMissing",
    "Person",
    "Renderer",
    "RequestInvalid",
    "SessionMissing",
    "TenantClosed",
    "TokenInvalid",
    "TokenMissing",
    "Unauthenticated",
    "allow_wasm",
    "answer_pages_with",
    "answer_refusal",
    "body_limit",
    "check_access",
    "clear_cookie",
    "csrf_token",
    "current_caller",
    "current_locale",
    "current_scope",
    "demand",
    "demand_private_connection",
    "end_session",
    "find_caller",
    "find_door",
    "find_idempotency_key",
    "guarded",
    "hot",
    "idempotency_key",
    "init_edge",
    "is_loopback",
    "laned",
    "limit_headers",
    "list_doors",
    "open_text",
    "public",
    "read_json",
    "read_sealed_cookie",
    "register_pages",
    "request_id",
    "requires",
    "seal_text",
    "set_sealed_cookie",
    "source_address",
    "start_session",
    "status_of",
    "watch",
    "write_json",
    "write_line",
]
