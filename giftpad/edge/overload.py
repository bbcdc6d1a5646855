"""The door before the application: who is let in, before a token or a form is looked at.

Hides: places and turns, what is switched off, how those who are turned away are answered.  It
stands between the server and Flask: three microseconds for who is let in, and as many for who is
not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import Flask

from giftpad import guard, tenancy
from giftpad.edge import turns
from giftpad.edge.bodies import take_body
from giftpad.edge.kinds import ENTRY, PAY, PUBLIC, Kind, kind_of, may_go_first
from giftpad.edge.places import Entry, Places
from giftpad.edge.turned_away import OFF_RETRY_S, Answers, Header, reader_of
from giftpad.kernel import metrics
from giftpad.kernel.clock import DEFAULT_ZONE
from giftpad.kernel.config import Settings
from giftpad.kernel.errors import DomainError
from giftpad.kernel.log import get_logger
from giftpad.kernel.seal import derive
from giftpad.kernel.work import Scope

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = get_logger("overload")

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
WAIT_MAX_S = 2.0
"""Nobody waits longer for a place; whoever asked has mostly gone by then."""
WHOLE_MAX = 262_144
"""A body of so many bytes at most is handed over in one piece."""
FILE_MAX = 2_097_152
"""The same of files that belong to a page; the largest is the scanner's, with one megabyte."""
LABEL = "giftpad-turns-v1"
_DEADLINE_DIGITS_MAX = 9


class Door:
    """The door of one application in this process."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.inner: WSGIApplication = app.wsgi_app
        self.places = Places(at_once=settings.web_threads, waiting=settings.web_queue)
        self.answers = Answers(app)
        self.turned_away: dict[str, int] = {}
        self._secret = b""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request, or turn it away."""
        kind = kind_of(
            environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        )
        if kind is None:
            return self.inner(environ, start_response)
        if kind is PAY and not may_go_first(environ):
            kind = ENTRY
        switches = guard.switches()
        if kind.feature and kind.feature in switches.off:
            return self._refuse(environ, start_response, kind, guard.FeatureOff)
        ticket: Header | None = None
        if kind.by_turns and switches.share < guard.GROUPS:
            verdict, ticket = self._judge(environ, switches.share)
            if not verdict.is_in:
                return self._not_yet(environ, start_response, verdict.turn_s, ticket)
        if not take_body(environ):  # whoever sends slowly holds no place meanwhile
            return self._refuse(environ, start_response, kind, guard.Overloaded)
        deadline = environ.get("HTTP_X_DEADLINE_MS")
        entry = self.places.enter(kind, WAIT_MAX_S if deadline is None else _patience(deadline))
        if entry is not Entry.IN:
            is_late = entry is Entry.TOO_LATE and deadline is not None
            why = guard.TooLate if is_late else guard.Overloaded
            return self._refuse(environ, start_response, kind, why)
        return self._serve(environ, start_response, kind, ticket)

    def _refuse(
        self, environ: WSGIEnvironment, start: StartResponse, kind: Kind, why: type[DomainError]
    ) -> list[bytes]:
        self._count(why, kind)
        retry_after_s = OFF_RETRY_S if why is guard.FeatureOff else kind.retry_after_s
        return self.answers.get(why, reader_of(environ), retry_after_s).send(environ, start)

    def _serve(
        self,
        environ: WSGIEnvironment,
        start: StartResponse,
        kind: Kind,
        ticket: Header | None,
    ) -> Iterable[bytes]:
        """Let the application answer; what is short is handed over whole, the rest streams."""
        length = -1

        def begin(status: str, headers: list[Header], exc_info: Any = None) -> Any:
            nonlocal length
            for name, value in headers:
                if name == "Content-Length":
                    length = int(value)
            if ticket is not None:
                headers.append(ticket)
            return start(status, headers, exc_info) if exc_info else start(status, headers)

        streams = False
        try:
            answer = self.inner(environ, begin)
            # A file of ours is handed over whole as well: whoever reads it slowly holds no thread.
            if 0 <= length <= (FILE_MAX if kind is ENTRY else WHOLE_MAX):
                return [_take_whole(answer)]
            streams = True
            return _Stream(answer, self.places, kind)
        finally:
            self.places.leave(kind, streams=streams)

    def _judge(self, environ: WSGIEnvironment, share: int) -> tuple[turns.Verdict, Header | None]:
        """Ask whether it is a visitor's turn; while the secret cannot be read it is."""
        secret = self._secret or self.read_secret()
        if not secret:
            return turns.Verdict(is_in=True), None
        verdict = turns.judge(
            turns.find_ticket(environ, secret),
            turns.address_of(environ.get("REMOTE_ADDR", "")),
            secret,
            share=share,
            at_s=time.time(),
        )
        if verdict.ticket is None:
            return verdict, None
        return verdict, turns.cookie_header(environ, verdict.ticket, secret)

    def _not_yet(
        self,
        environ: WSGIEnvironment,
        start: StartResponse,
        turn_s: int,
        ticket: Header | None,
    ) -> list[bytes]:
        self._count(guard.NotYourTurn, PUBLIC)
        turn = datetime.fromtimestamp(turn_s, ZoneInfo(DEFAULT_ZONE))
        # Rounded up: whoever comes when the clock shows what the page says is let in.
        shown = turn + timedelta(seconds=-turn.second % 60)
        answer = self.answers.not_your_turn(
            reader_of(environ),
            at=f"{shown:%H:%M}",
            turn_at=turn.isoformat(),
            retry_after_s=max(1, turn_s - int(time.time())),
        )
        return answer.send(environ, start, () if ticket is None else (ticket,))

    def _count(self, why: type[DomainError], kind: Kind) -> None:
        metrics.note_refused(why.code)
        self.turned_away[kind.name] = self.turned_away.get(kind.name, 0) + 1

    def read_secret(self) -> bytes:
        """Read what groups and tickets are made with, the same in every process."""
        try:
            ring = tenancy.current_ring_key(tenancy.PLATFORM_TENANT_ID)
        except DomainError as error:
            log.warning("turns cannot be judged", error=error.code)
        else:
            self._secret = derive(ring.key, LABEL)
        return self._secret

    def look_around(self) -> None:
        """Read the switches, tell of overload, write down who was turned away; every second."""
        if guard.refresh_switches(PLATFORM).share < guard.GROUPS:
            self.read_secret()
        turned_away, self.turned_away = self.turned_away, {}
        if turned_away:
            log.warning("turned away", **{k.replace(" ", "_"): n for k, n in turned_away.items()})
        if PAY.name in turned_away:
            guard.tell_overload()


class _Stream:
    """An answer that is sent bit by bit; it is counted until it is over, or given up."""

    def __init__(self, answer: Iterable[bytes], places: Places, kind: Kind) -> None:
        self._answer, self._places, self._kind = answer, places, kind
        self._is_over = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        """Let go of what the answer was made from."""
        if not self._is_over:
            self._is_over = True
            self._places.end_stream(self._kind)
            _close(self._answer)

    __del__ = close


def _take_whole(answer: Iterable[bytes]) -> bytes:
    try:
        return b"".join(answer)
    finally:
        _close(answer)


def _close(answer: Iterable[bytes]) -> None:
    close: Callable[[], object] | None = getattr(answer, "close", None)
    if close is not None:
        close()


def _patience(deadline_ms: str) -> float:
    """Return how long a request may wait by its own header; what cannot be read says nothing."""
    is_number = deadline_ms.isascii() and deadline_ms.isdigit()
    if not is_number or len(deadline_ms) > _DEADLINE_DIGITS_MAX:
        return WAIT_MAX_S
    return min(WAIT_MAX_S, int(deadline_ms) / 1000)


def guarded(app: Flask, settings: Settings) -> Door:
    """Put the door in front of an application."""
    door = Door(app, settings)
    app.extensions["giftpad_door"] = door
    return door


def watch(app: Flask) -> None:
    """Let the door of a serving process look around every second, for as long as it runs."""
    door: Door = app.extensions["giftpad_door"]

    def look() -> None:
        while True:
            try:
                door.look_around()
            except Exception as error:
                log.exception("the door could not look around", exc_info=error)
            time.sleep(guard.REFRESH_S)

    threading.Thread(target=look, name="door", daemon=True).start()
