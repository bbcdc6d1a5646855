"""Bodies: read to their end before a request takes a place, or refused.

Hides: how a body is told from half of one, how many and how much of those that are not whole are
waited for at once.  The server gives what came when a sender has gone, as if that were all, and
its read waits for whoever sends as long as they like.  So nobody works on a body before it is
whole, and who sends slowly holds a thread, but none of the places where requests are worked on.
A body is read before a token is looked at: whether one is there counts, and how large a body the
address takes; whose it is counts only when many are waited for.

Source: RFC 9112, sections 6.3 and 8.
"""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, NamedTuple

from giftpad.edge.access import BODY_MAX
from giftpad.edge.callers import identify
from giftpad.edge.errors import BodyCut, LengthMissing
from giftpad.edge.kinds import TOKEN_PATH, shows_session, takes_file, takes_many
from giftpad.edge.sessions import holds_session
from giftpad.edge.turns import address_of
from giftpad.kernel.errors import DomainError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FAULT = "giftpad.body_fault"
"""Where a request carries what is wrong with its body, for the edge to refuse it."""

LARGE_MAX = 33 * 1024 * 1024
"""A file of shops or of products, and the frame that a form puts around it."""
SMALL_MAX = 64 * 1024
"""Bodies up to this size are always read: all connections together cannot hold much of them."""
HELD_MAX = 64 * 1024 * 1024
"""So many bytes of larger bodies are waited for at once in one process."""
TOKEN_MAX = 16 * 1024
"""What asks for a token is small, and comes from anybody."""
HOOKS = "/api/hooks/"
HOOK_BODY_MAX = 64 * 1024
"""What a provider tells by itself, whom no token proves."""
LENGTH_DIGITS_MAX = 12
WAITING_MAX, STRANGERS_MAX = 18, 5
"""Bodies that one process waits for, and those of strangers among them.  Its server has four
threads more; and strangers cannot take those that its places need (giftpad.local.parts)."""
OF_ONE_KNOWN_MAX, OF_ONE_STRANGER_MAX = 16, 3
"""Of these, so many from one address: a cash desk system has one for all of its shops."""
UNASKED_MAX = 2
"""While fewer are waited for, nobody is asked who they are; they count as strangers."""


class Wait(NamedTuple):
    """One body that is waited for: where it comes from, and whether it counts as a stranger's."""

    address: str
    is_stranger: bool


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


class Waits:
    """For how many bodies threads wait, in all and from each address.

    A body that came with its head is waited for as well, for microseconds.  When there are many,
    those that a token or a session of ours comes with have room of their own, so that whoever
    sends slowly and is nobody never keeps out who pays, nor the other way round.
    """

    def __init__(self, *, most: int, strangers: int, of_known: int, of_stranger: int) -> None:
        self._most, self._strangers_most = most, strangers
        self._of_known, self._of_stranger = of_known, of_stranger
        self._by_address: dict[str, int] = {}
        self._count = self._strangers = 0
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many are waited for."""
        return self._count

    def begin(self, address: str, is_known: Callable[[], bool]) -> Wait | None:
        """Begin to wait for a body from ``address``; None if no more may be waited for."""
        with self._lock:
            if self._count < UNASKED_MAX:
                return self._take(address, is_stranger=True)
        is_stranger = not is_known()  # it may ask the database
        with self._lock:
            return self._take(address, is_stranger=is_stranger)

    def _take(self, address: str, *, is_stranger: bool) -> Wait | None:
        mine = self._by_address.get(address, 0)
        if (
            self._count >= self._most
            or mine >= (self._of_stranger if is_stranger else self._of_known)
            or (is_stranger and self._strangers >= self._strangers_most)
        ):
            return None
        self._by_address[address] = mine + 1
        self._count += 1
        self._strangers += is_stranger
        return Wait(address, is_stranger)

    def end(self, wait: Wait) -> None:
        """Tell that a body has come, or will not."""
        with self._lock:
            self._count -= 1
            self._strangers -= wait.is_stranger
            self._by_address[wait.address] -= 1
            if not self._by_address[wait.address]:
                del self._by_address[wait.address]


ROOM = Room(HELD_MAX)
WAITS = Waits(
    most=WAITING_MAX,
    strangers=STRANGERS_MAX,
    of_known=OF_ONE_KNOWN_MAX,
    of_stranger=OF_ONE_STRANGER_MAX,
)


def take_body(environ: WSGIEnvironment, room: Room = ROOM, waits: Waits = WAITS) -> bool:
    """Put the whole body in place of the stream, or what is wrong with it into ``FAULT``.

    False if it cannot be waited for; then nothing of it was read.  Left alone: no body, one too
    large for its door, and one of a machine that shows no token, which are refused without being
    read.
    """
    length = _length_wanted(environ)
    if not length:
        return True
    is_large = length > SMALL_MAX
    if is_large and not room.take(length):
        return False
    address = address_of(environ.get("REMOTE_ADDR", ""))
    wait = waits.begin(address, functools.partial(_is_known, environ))
    try:
        if wait is not None:
            _read(environ, length)
    finally:
        if wait is not None:
            waits.end(wait)
        if is_large:
            room.give_back(length)
    return wait is not None


def _length_wanted(environ: WSGIEnvironment) -> int:
    """Return how long the body is that is to be read; 0 to leave it alone.

    One that does not say its length is put down as refused.
    """
    said: str = environ.get("CONTENT_LENGTH", "")
    if not said:
        if "HTTP_TRANSFER_ENCODING" in environ:
            _refuse(environ, LengthMissing())
        return 0
    is_number = said.isascii() and said.isdecimal() and len(said) <= LENGTH_DIGITS_MAX
    if not is_number or isinstance(environ["wsgi.input"], io.BytesIO):
        return 0
    length, path = int(said), environ.get("PATH_INFO", "")
    is_machine_of_nobody = (
        path.startswith("/api/")
        and not path.startswith(HOOKS)  # they show a signature, which is over the body
        and "HTTP_AUTHORIZATION" not in environ
    )
    return 0 if is_machine_of_nobody or length > _most(environ, path) else length


def _read(environ: WSGIEnvironment, length: int) -> None:
    stream: IO[bytes] = environ["wsgi.input"]
    body = stream.read(length)
    if len(body) < length:
        _refuse(environ, BodyCut())
    else:
        environ["wsgi.input"] = io.BytesIO(body)


def _is_known(environ: WSGIEnvironment) -> bool:
    """Whether a request comes with a token that holds, or with a session that we gave."""
    try:
        if authorization := environ.get("HTTP_AUTHORIZATION"):
            identify(authorization)
            return True
        return shows_session(environ) and holds_session(environ["HTTP_COOKIE"])
    except DomainError:  # no token of ours, or nothing to tell by
        return False


def _most(environ: WSGIEnvironment, path: str) -> int:
    """Return how large a body is read at an address; what is larger its door refuses unread."""
    if path == TOKEN_PATH:
        return TOKEN_MAX
    if path.startswith(HOOKS):
        return HOOK_BODY_MAX
    is_upload = environ.get("REQUEST_METHOD") == "POST" and (
        takes_many(path) or (takes_file(path) and shows_session(environ))
    )
    return LARGE_MAX if is_upload else BODY_MAX


def _refuse(environ: WSGIEnvironment, fault: DomainError) -> None:
    environ[FAULT] = fault
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(), ""
