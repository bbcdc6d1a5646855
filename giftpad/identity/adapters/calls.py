"""Questions to a server of somebody else, over https, answered in JSON.

Hides: sockets, TLS, name servers.  No redirect is followed, no more than ``SIZE_MAX`` is read, and
all of it is over by the end that the caller sets but for the look at a name server.  A name is
looked up once, and what it says there is what is connected to: an address inside this network is
asked only if the caller says that it may be.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import orjson

SIZE_MAX = 64 * 1024
HTTPS_PORT, HTTP_PORT = 443, 80
REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutsideUnread(Exception):
    """Nothing usable came from a server of somebody else; the text says why, for the log.

    ``is_refusal``: the server is well, and says that the question is wrong.
    """

    def __init__(self, message: str, *, is_refusal: bool = False) -> None:
        super().__init__(message)
        self.is_refusal = is_refusal


def ask_json(
    address: str,
    ends_at: float,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    may_be_inside: bool = True,
) -> dict[str, Any]:
    """Return the object at an address, or what a form sent there is answered with.

    ``ends_at`` is by ``time.monotonic``.
    Raises: OutsideUnread.
    """
    try:
        parts = urlsplit(address)
        with _connected(parts, ends_at, may_be_inside=may_be_inside) as connection:
            content: object = orjson.loads(_ask(connection, parts, form, headers or {}))
    except (OSError, HTTPException, ValueError) as error:
        # Who is hung up on because time is over looks like one who hung up.
        what = "no answer in time" if time.monotonic() >= ends_at else _in_words(error)
        message = f"{address}: {what} ({type(error).__name__})"
        raise OutsideUnread(message) from error
    if time.monotonic() > ends_at:  # what came before somebody hung up may look whole
        message = f"{address}: not in time"
        raise OutsideUnread(message)
    if not isinstance(content, dict):
        message = f"{address}: no object"
        raise OutsideUnread(message)
    return content


def _in_words(error: Exception) -> str:
    """Return what went wrong in words for whoever set the address up."""
    if isinstance(error, socket.gaierror):
        return "no machine of this name was found"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nothing answers at this address"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ValueError):
        return "the answer is not JSON"
    return "the connection failed"


def _ask(
    connection: HTTPConnection,
    parts: SplitResult,
    form: Mapping[str, str] | None,
    headers: Mapping[str, str],
) -> bytes:
    """Return the body that is answered.

    Raises: OutsideUnread, OSError, HTTPException.
    """
    where = f"{parts.scheme}://{parts.netloc}{parts.path}"
    sent = {"Host": parts.netloc, "Accept": "application/json", "Connection": "close", **headers}
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    body = None
    if form is not None:
        body = urlencode(form).encode()
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if body is None else "POST", path, body=body, headers=sent)
    with connection.getresponse() as answer:
        if answer.status != HTTPStatus.OK:
            message = f"{where}: status {answer.status}"
            raise OutsideUnread(message, is_refusal=answer.status in REFUSALS)
        content = answer.read(SIZE_MAX + 1)
    if len(content) > SIZE_MAX:
        message = f"{where}: more than {SIZE_MAX} bytes"
        raise OutsideUnread(message)
    return content


def is_outside(address: str) -> bool:
    """Whether an IP address is one of the public Internet, whatever it is wrapped in.

    >>> [is_outside(a) for a in ("1.1.1.1", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found in _NAT64:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        elif found.sixtofour is not None or found.teredo is not None:
            return False
        else:
            found = found.ipv4_mapped or found
    return found.is_global and not found.is_multicast


def _resolve(host: str, port: int, *, may_be_inside: bool) -> list[str]:
    """Return the addresses to connect to; none inside this network unless they may be.

    Raises: OutsideUnread, OSError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not may_be_inside and not all(is_outside(address) for address in addresses):
        message = f"{host} lies inside a private network"
        raise OutsideUnread(message)
    return addresses


def _connect(addresses: list[str], port: int, ends_at: float) -> socket.socket:
    """Return a connection to the first address that answers.

    Raises: OSError.
    """
    failed: OSError = TimeoutError()
    for address in addresses:
        left_s = ends_at - time.monotonic()
        if left_s <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=left_s)
        except OSError as error:
            failed = error
    raise failed


@contextmanager
def _connected(
    parts: SplitResult, ends_at: float, *, may_be_inside: bool
) -> Iterator[HTTPConnection]:
    """Give a connection that somebody hangs up at ``ends_at``.

    A timeout of the socket counts from one byte to the next, so a server that sends a byte now and
    then would be listened to for ever.
    """
    is_secure, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (HTTPS_PORT if is_secure else HTTP_PORT)
    plain = _connect(_resolve(host, port, may_be_inside=may_be_inside), port, ends_at)
    same = plain.dup()
    hang_up = threading.Timer(max(0.0, ends_at - time.monotonic()), _hang_up, [same])
    hang_up.daemon = True
    connection = HTTPConnection(host, port)
    connection.sock = plain
    try:
        hang_up.start()
        if is_secure:
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        yield connection
    finally:
        hang_up.cancel()
        connection.close()
        same.close()


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
