"""Requests as no library would write them, sent byte by byte over a socket."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator

WAIT_S = 2.0
HOST = "127.0.0.1"
INNER = b"GET /smuggled-inside HTTP/1.1\r\nHost: x\r\nX-Request-Id: smuggled-inside\r\n\r\n"
"""A second request inside the body of a first one; nobody may ever answer it."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_PAY = b"/api/v1/payments"


def open_socket(port: int, *, receive_buffer: int = 0, source: str = "") -> socket.socket:
    """Connect to a server of this machine, from one of its own addresses."""
    opened = socket.socket()
    if source:
        opened.bind((source, 0))
    if receive_buffer:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    opened.settimeout(WAIT_S)
    opened.connect((HOST, port))
    return opened


def ask(port: int, data: bytes, *, wait_s: float = WAIT_S) -> bytes:
    """Send bytes and return all that is answered until the end, or until nothing comes any more."""
    with contextlib.closing(open_socket(port)) as opened:
        answer = b""
        with contextlib.suppress(OSError):  # a server may well hang up in the middle
            opened.sendall(data)
            opened.settimeout(wait_s)
            while part := opened.recv(65536):
                answer += part
        return answer


def cut(port: int, data: bytes) -> bytes:
    """Send bytes, say that no more will come, and return what is answered."""
    with contextlib.closing(open_socket(port)) as opened:
        answer = b""
        with contextlib.suppress(OSError):
            opened.sendall(data)
            opened.shutdown(socket.SHUT_WR)
            while part := opened.recv(65536):
                answer += part
        return answer


def statuses(answer: bytes) -> list[int]:
    """Return the statuses of the answers that came one after the other."""
    return [int(found) for found in _STATUS.findall(answer)]


def post(*headers: bytes, body: bytes = b"", path: bytes = b"/oauth/token") -> bytes:
    """Write a POST with exactly these headers."""
    lines = [
        b"POST " + path + b" HTTP/1.1",
        b"Host: x",
        b"Content-Type: application/json",
        *headers,
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


def get(*headers: bytes, path: bytes = b"/healthz", version: bytes = b"HTTP/1.1") -> bytes:
    """Write a GET with exactly these headers."""
    return b"\r\n".join([b"GET " + path + b" " + version, *headers, b"", b""])


def smuggling() -> Iterator[tuple[str, bytes]]:
    """Return requests that say their length twice, or in a way somebody else may read otherwise."""
    length = b"Content-Length: %d" % len(INNER)
    chunked = b"Transfer-Encoding: chunked"
    none = b"0\r\n\r\n" + INNER
    yield "both lengths, chunks first", post(chunked, length, body=none)
    yield "both lengths, length first", post(b"Content-Length: 5", chunked, body=none)
    yield "two lengths", post(b"Content-Length: 0", length, body=INNER)
    yield "two lengths in one", post(b"Content-Length: 0, %d" % len(INNER), body=INNER)
    for said in (b"+3", b"-1", b"0x10", b"1e1", b" ", b"3 3", b"\xef\xbc\x93", b"9" * 30):
        yield f"a length of {said[:8]!r}", post(b"Content-Length: " + said, body=INNER)
    for name in (
        b"xchunked",
        b"chunked, identity",
        b"identity",
        b"\tchunked",
        b"chunked\x0b",
        b"cow",
    ):
        yield f"encoded as {name!r}", post(b"Transfer-Encoding: " + name, length, body=none)
    yield "encoded twice", post(chunked, b"Transfer-Encoding: cow", body=none)
    yield "a blank before the colon", post(b"Transfer-Encoding : chunked", length, body=none)
    yield "a folded header", post(b"Transfer-Encoding:\r\n chunked", length, body=none)
    yield "a name after a bare line feed", post(b"X: y\nTransfer-Encoding: chunked", body=none)
    yield "a name after a bare return", post(b"X: y\rTransfer-Encoding: chunked", body=none)


def chunks() -> Iterator[tuple[str, bytes]]:
    """Return bodies in chunks that are none."""
    chunked = b"Transfer-Encoding: chunked"
    for size in (
        b"G",
        b"-1",
        b"0x5",
        b"F" * 17,
        b"",
        b" 5",
        b"5 5",
        b"5\n",
        b"5;" + b"x" * 100_000,
    ):
        yield f"a chunk of {size[:8]!r}", post(chunked, body=size + b"\r\nhello\r\n0\r\n\r\n")
    yield "a chunk too short", post(chunked, body=b"5\r\nhe\r\n0\r\n\r\n")
    yield "a chunk without an end", post(chunked, body=b"5\r\nhello")
    yield "many tiny chunks", post(chunked, body=b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
    yield "many trailers", post(chunked, body=b"0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n")


def heads() -> Iterator[tuple[str, bytes]]:
    """Return heads that are too large, or none."""
    yield "a thousand headers", get(b"Host: x", *(b"X-%d: y" % n for n in range(1000)))
    yield "a header of a megabyte", get(b"Host: x", b"X: " + b"y" * 1_000_000)
    yield "a line of 100 kB", get(b"Host: x", path=b"/" + b"y" * 100_000)
    yield "a name of 100 kB", get(b"Host: x", b"y" * 100_000 + b": x")
    yield "cookies of 300 kB", get(b"Host: x", b"Cookie: " + b"gp_session=y; " * 20_000)
    for line in (
        b"X",
        b": y",
        b"X y: z",
        b"X\0: y",
        b"X: \0",
        b"X: \x7f",
        b"\xe9: y",
        b"X: \xff\xfe",
    ):
        yield f"a header {line!r}", get(b"Host: x", line)
    for hosts in ((), (b"Host: a", b"Host: b"), (b"Host: a b",), (b"Host: a@b",), (b"Host: ",)):
        yield f"hosts {hosts!r}", get(*hosts)
    yield "a host of a script", get(b'Host: "><script>alert(1)</script>', path=b"/sign-in")


def lines() -> Iterator[tuple[str, bytes]]:
    """Return first lines of every kind that is not ours."""
    for path in (
        *(b"http://elsewhere.example/healthz", b"//elsewhere.example/healthz", b"elsewhere:443"),
        *(b"*", b"", b"x", b"/\0", b"/%00", b"/%", b"/%zz", b"/\xff", b"/%c0%ae%c0%ae/etc/passwd"),
        *(b"/../../etc/passwd", b"/%2e%2e%2fetc%2fpasswd", b"/..\\..\\x", b"/a b", b"/#x", b"/?\0"),
        *(b"/api/v1/payments;x=1", b"/api/v1//payments", b"/API/V1/PAYMENTS", b"/\r\nX: y"),
    ):
        yield f"an address {path[:40]!r}", get(b"Host: x", path=path)
    for version in (b"", b"HTTP/0.9", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.1 x", b"ICY"):
        yield f"version {version!r}", get(b"Host: x", version=version)
    for method in (b"CONNECT", b"TRACE", b"get", b"G\0T", b"X" * 5000, b"PRI", b'"GET"'):
        yield f"method {method[:9]!r}", method + b" /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100
    yield (
        "an upgrade",
        get(b"Host: x", b"Connection: upgrade", b"Upgrade: h2c", b"HTTP2-Settings: x"),
    )
    yield "TLS", bytes.fromhex("160301020001000100fc0303") + b"\0" * 500
    yield "noise", bytes(range(256)) * 50
    yield "line feeds", b"\n" * 10_000
    yield "nothing", b""


ODD_PAYMENTS = {
    "no JSON in the name of JSON": (b"application/json", b"amount_minor=1"),
    "UTF-16": (b"application/json; charset=utf-16", '{"amount_minor": 1}'.encode("utf-16")),
    "two amounts": (b"application/json", b'{"amount_minor": 1, "amount_minor": 2}'),
    "gzip": (b"application/json", b"\x1f\x8b\x08\0" + b"\0" * 40),
    "a form": (b"application/x-www-form-urlencoded", b"amount_minor=1"),
}


def half_heads(path: bytes = b"/healthz") -> bytes:
    """Return the beginning of a head that never ends."""
    return b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nX-A: "


def half_body(path: bytes, *headers: bytes) -> bytes:
    """Return a POST whose body never comes whole."""
    return post(b"Content-Length: 1000", *headers, body=b'{"x', path=path)
