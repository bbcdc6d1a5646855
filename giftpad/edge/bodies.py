"""Bodies: read to their end before a request takes a place, or refused.

Hides: how a body is told from half of one, how much of those that are not whole is held at once.
The server gives what came when a sender has gone, as if that were all, and its read waits for
whoever sends as long as they like.  So nobody works on a body before it is whole, and who sends
slowly holds a connection and a thread that has nothing else to do, but none of the places where
requests are worked on.  A body is read before a token is looked at: only whether one is there
counts, and how large a body the address takes.

Source: RFC 9112, sections 6.3 and 8.
"""

from __future__ import annotations

import io
import threading
from typing import IO, TYPE_CHECKING

from giftpad.edge.access import BODY_MAX
from giftpad.edge.errors import BodyCut, LengthMissing
from giftpad.edge.kinds import TOKEN_PATH, shows_session
from giftpad.kernel.errors import DomainError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FAULT = "giftpad.body_fault"
"""Where a request carries what is wrong with its body, for the edge to refuse it."""

LARGE_MAX = 33 * 1024 * 1024
"""A file of shops, and the frame that a form puts around it."""
SMALL_MAX = 64 * 1024
"""Bodies up to this size are always read: all connections together cannot hold much of them."""
HELD_MAX = 64 * 1024 * 1024
"""So many bytes of larger bodies are waited for at once in one process."""
TOKEN_MAX = 16 * 1024
"""What asks for a token is small, and comes from anybody."""
LENGTH_DIGITS_MAX = 12


class Room:
    """How many bytes of bodies that are not whole yet a process is ready to hold."""

    def __init__(self, held_max: int) -> None:
        self.held_max, self.held = held_max, 0
        self._lock = threading.Lock()

    def take(self, length: int) -> bool:
        """Keep room for a body of ``length`` bytes, if there is as much."""
        with self._lock:
            if self.held + length > self.held_max:
                return False
            self.held += length
            return True

    def give_back(self, length: int) -> None:
        """Let others have the room that was taken."""
        with self._lock:
            self.held -= length


ROOM = Room(HELD_MAX)


def take_body(environ: WSGIEnvironment, room: Room = ROOM) -> bool:
    """Put the whole body in place of the stream, or what is wrong with it into ``FAULT``.

    False if there is no room for it; then nothing of it was read.  Left alone: no body, one too
    large for its door, and one of a machine that shows no token, which are refused without being
    read.
    """
    said: str = environ.get("CONTENT_LENGTH", "")
    if not said:
        if "HTTP_TRANSFER_ENCODING" in environ:
            _refuse(environ, LengthMissing())
        return True
    stream: IO[bytes] = environ["wsgi.input"]
    is_number = said.isascii() and said.isdecimal() and len(said) <= LENGTH_DIGITS_MAX
    if not is_number or said == "0" or isinstance(stream, io.BytesIO):
        return True
    length, path = int(said), environ.get("PATH_INFO", "")
    if length > _most(environ, path):
        return True
    if path.startswith("/api/") and "HTTP_AUTHORIZATION" not in environ:
        return True
    if length <= SMALL_MAX:
        body = stream.read(length)
    elif room.take(length):
        try:
            body = stream.read(length)
        finally:
            room.give_back(length)
    else:
        return False
    if len(body) < length:
        _refuse(environ, BodyCut())
    else:
        environ["wsgi.input"] = io.BytesIO(body)
    return True


def _most(environ: WSGIEnvironment, path: str) -> int:
    """Return how large a body is read at an address; what is larger its door refuses unread."""
    if path == TOKEN_PATH:
        return TOKEN_MAX
    is_upload = environ.get("REQUEST_METHOD") == "POST" and (
        path == "/api/v1/shop-imports" or (path == "/desk/shops/imports" and shows_session(environ))
    )
    return LARGE_MAX if is_upload else BODY_MAX


def _refuse(environ: WSGIEnvironment, fault: DomainError) -> None:
    environ[FAULT] = fault
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), ""
