"""The edge: what both machines and people pass before the domain is asked.

Knows: tokens and scope, declared access, limits, request ids, problems, JSON at the wire, Flask.
Hides: how a caller is verified without a query, which refusal is which status, the headers.
Does not know: routes, pages, coupons, money.
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
from giftpad.edge.callers import Caller
from giftpad.edge.errors import (
    BodyMalformed,
    BodyTypeUnread,
    CursorUnknown,
    Forbidden,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    Malformed,
    PermissionMissing,
    RequestInvalid,
    TenantClosed,
    TokenInvalid,
    TokenMissing,
    Unauthenticated,
)
from giftpad.edge.limits import limit_headers
from giftpad.edge.payload import ESCAPED_NUL, OrjsonProvider, read_json, write_json
from giftpad.edge.problems import MEDIA_TYPE, answer_refusal, current_locale, status_of
from giftpad.edge.requests import (
    current_caller,
    current_scope,
    demand,
    find_idempotency_key,
    idempotency_key,
    init_edge,
    request_id,
)

__all__ = [
    "ESCAPED_NUL",
    "MEDIA_TYPE",
    "Access",
    "AccessUndeclared",
    "BodyMalformed",
    "BodyTypeUnread",
    "Caller",
    "CursorUnknown",
    "Door",
    "Forbidden",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyMissing",
    "Malformed",
    "OrjsonProvider",
    "PermissionMissing",
    "RequestInvalid",
    "TenantClosed",
    "TokenInvalid",
    "TokenMissing",
    "Unauthenticated",
    "answer_refusal",
    "body_limit",
    "check_access",
    "current_caller",
    "current_locale",
    "current_scope",
    "demand",
    "find_door",
    "find_idempotency_key",
    "idempotency_key",
    "init_edge",
    "limit_headers",
    "list_doors",
    "public",
    "read_json",
    "request_id",
    "requires",
    "status_of",
    "write_json",
]
