"""What nobody sends by mistake: values, bodies, headers and paths made to break something."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

DEEP = 10_000
LONG = "x" * 100_000
TEXTS = (
    "",
    " ",
    LONG,
    "\0",
    "\ud800",
    "a\r\nSet-Cookie: loot=1",
    "'; DROP TABLE shop_shops; --",
    "%s %(x)s {0} {x} \\",
    "=1+1",
    "\u202e\u200b\ufeff𠮷髙",
    "NaN",
    "-infinity",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "00000000-0000-0000-0000-000000000000",
    "1" * 5000,
    "MC-999999999999999",
    "99999999999999999999",
    "-1",
    "1e400",
    "\uff11\uff12",
)
VALUES = (
    *TEXTS,
    None,
    True,
    -1,
    0,
    2**31,
    2**53,
    2**63,
    2**64,
    10**400,
    1.5,
    1e308,
    [],
    {},
    [[[]]],
    ["\0", "\ud800", None, 1, {}],
)
BODIES = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "cut": b'{"instrument": {"kind"',
    "no UTF-8": b'{"x": "\xff\xfe"}',
    "UTF-16": '{"x": 1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"amount_minor": NaN}',
    "infinity": b'{"amount_minor": -Infinity}',
    "a huge float": b'{"amount_minor": 1e999}',
    "a NUL": b'{"x": "\x00"}',
    "a name of half a character": b'{"\\ud800": 1}',
    "a name twice": b'{"reason": "a", "reason": "b"}',
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"instrument":' * DEEP + b"1" + b"}" * DEEP,
    "rather deep lists": b"[" * 1000 + b"]" * 1000,
    "rather deep objects": b'{"x":' * 1000 + b"1" + b"}" * 1000,
    "many names": b"{" + b",".join(b'"%d": 1' % n for n in range(20_000)) + b"}",
    "10 MB": b'{"x": "' + b"x" * 10_000_000 + b'"}',
}
CONTENT_TYPES = (
    "",
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
    "application/json; " + "x" * 5000,
    "/",
    ";",
)
HEADERS = {
    "HTTP_ACCEPT_LANGUAGE": ("*", "-", "ja;q=NaN", "en-,-en,_", ",;" * 2000, LONG, "\xe9\xff"),
    "HTTP_IDEMPOTENCY_KEY": ("", " ", "a b", "\xe9", "x" * 256, "a\r\nb", "\0"),
    "HTTP_X_REQUEST_ID": ("", "a\r\nSet-Cookie: loot=1", LONG, "\xff" * 20),
    "HTTP_AUTHORIZATION": ("Bearer \xff\xfe", "Bearer " + LONG, "Bearer \0", "Bearer a b c", "é"),
    "HTTP_HOST": ("a b", "evil.example:99999", "[", "\xff"),
    "CONTENT_LENGTH": ("-1", "x", "1e3", "\uff19", "99999999999999999999"),
    "QUERY_STRING": ("%", "%00", "%ff=%fe", "%ed%a0%80=1", "&" * 5000, "a[]=1&a[b]=2", "limit"),
    "REMOTE_ADDR": ("", "x", "::1%eth0"),
}
NOWHERE = (
    "/api",
    "/api/v1",
    "/api/v2/payments",
    "/api/v1/payments/",
    "/api/v1/nothing",
    "/api/v1/payments/not-a-uuid",
    "/api/v1/payments/%00",
    "/api/v1/payments/%ff%fe",
    "/api/v1/coupons/a/b/c",
    "/api/v1/../../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/.git/config",
    "/static/x.js",
    "/x%0d%0aSet-Cookie:%20loot=1",
    "/" + "x" * 50_000,
    "/" * 3000 + "x",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "CONNECT", "FOO")


def dump(body: object) -> bytes:
    """Write JSON as a hostile client does: halves of characters and NaN go out as they are."""
    return json.dumps(body).encode()


def spoil(make: Callable[[], Any], names: set[str]) -> Iterator[tuple[str, object]]:
    """Return bodies with each of their values, and each further field, replaced by each value."""
    body = make()
    places = list(_places(body, ())) + [(name,) for name in sorted(names - set(body))]
    for place in places:
        for value in VALUES:
            spoilt = copy.deepcopy(make())
            inner = spoilt
            for name in place[:-1]:
                inner = inner[name]
            inner[place[-1]] = value
            yield f"{'.'.join(place)} = {str(value)[:40]!r}", spoilt


def _places(body: dict[str, Any], place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, value in body.items():
        yield (*place, name)
        if isinstance(value, dict):
            yield from _places(value, (*place, name))


def fields_of(contract: dict[str, Any], method: str, path: str) -> tuple[set[str], set[str]]:
    """Return the names of an operation's body fields and of its query parameters."""
    operation = contract["paths"][path][method.lower()]
    query = {each["name"] for each in operation.get("parameters", []) if each.get("in") == "query"}
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref", "")
    schema = contract["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return set(schema.get("properties", {})), query
