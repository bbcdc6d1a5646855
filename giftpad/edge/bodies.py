"""Bodies: read to their end before a request takes a place, or refused.

Hides: how a body is told from half of one.  The server gives what came when a sender has gone, as
if that were all, and its read waits for whoever sends as long as they like.  So nobody works on a
body before it is whole, and who sends slowly holds a connection and a thread that has nothing else
to do, but none of the places where requests are worked on.

Source: RFC 9112, sections 6.3 and 8.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING

from giftpad.edge.access import BODY_MAX
from giftpad.edge.errors import BodyCut, LengthMissing
from giftpad.kernel.errors import DomainError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FAULT = "giftpad.body_fault"
"""Where a request carries what is wrong with its body, for the edge to refuse it."""

LARGE_MAX = 33 * 1024 * 1024
"""A file of shops, and the frame that a form puts around it."""
_LENGTH_DIGITS_MAX = 12
_UPLOADS = "import"


def take_body(environ: WSGIEnvironment) -> None:
    """Put the whole body in place of the stream, or what is wrong with it into ``FAULT``.

    Left alone: no body, one too large for its door, and one of a machine that shows no token,
    which are refused without being read.
    """
    said: str = environ.get("CONTENT_LENGTH", "")
    if not said:
        if "HTTP_TRANSFER_ENCODING" in environ:
            _refuse(environ, LengthMissing())
        return
    stream: IO[bytes] = environ["wsgi.input"]
    is_number = said.isascii() and said.isdecimal() and len(said) <= _LENGTH_DIGITS_MAX
    if not is_number or said == "0" or isinstance(stream, io.BytesIO):
        return
    length, path = int(said), environ.get("PATH_INFO", "")
    if length > (LARGE_MAX if _UPLOADS in path else BODY_MAX):
        return
    if path.startswith("/api/") and "HTTP_AUTHORIZATION" not in environ:
        return
    body = stream.read(length)
    if len(body) < length:
        _refuse(environ, BodyCut())
    else:
        environ["wsgi.input"] = io.BytesIO(body)


def _refuse(environ: WSGIEnvironment, fault: DomainError) -> None:
    environ[FAULT] = fault
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), ""
