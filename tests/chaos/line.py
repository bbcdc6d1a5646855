"""A till's line: one thread, one connection that is kept, the same key until there is an answer."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.chaos.journal import Entry, Journal, read_code

ANSWER_TIMEOUT_S = 8
INSIST_S = 120.0
PAUSE_S = 0.1
NOT_NOW = {429, 502, 503, 504}
STILL_RUNNING = {"idempotency.running"}


class Unanswered(Exception):
    """No definite answer came within ``INSIST_S``, or nobody waits for one any more."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A definite answer, and whether it was asked for more than once."""

    status: int
    body: Any
    is_repeat: bool

    @property
    def code(self) -> str:
        """The refusal's code; empty where it was none."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


@dataclass(kw_only=True)
class Caller:
    """A machine client: how it gets a token, and where it asks."""

    number: int
    client: dict[str, str]
    port: int
    token: str = ""
    is_gone: bool = False
    """Nobody waits for an answer any more: what is asked for ends at the next try."""


class Line:
    """One connection of one caller; to be used by one thread."""

    def __init__(self, caller: Caller, journal: Journal, name: str) -> None:
        self.caller = caller
        self.journal = journal
        self.name = name
        self.asked = 0
        self.connection: http.client.HTTPConnection | None = None
        self.pause = threading.Event()

    def new_key(self) -> str:
        """Return a key that no other call of this run has."""
        self.asked += 1
        return f"{self.name}-{self.asked}-{uuid.uuid4().hex[:8]}"

    def insist(
        self, method: str, path: str, content: Any = None, *, key: str = "", kind: str = "read"
    ) -> Answer:
        """Ask until there is a definite answer, always with the same key, and write it down.

        Raises: Unanswered.
        """
        body = "" if content is None else json.dumps(content)
        begun, tries = time.monotonic(), 0
        while not self.caller.is_gone and time.monotonic() - begun < INSIST_S:
            tries += 1
            if tries == 2:
                self.journal.note("ambiguous")
            try:
                status, answer = self.send(method, path, body, key)
            except (OSError, http.client.HTTPException) as error:
                self.journal.note_status(0, type(error).__name__)
                self.pause.wait(PAUSE_S)
                continue
            if status < 300:
                self._write_down(Entry, (method, path, body, key, kind), status, answer)
                took_s = time.monotonic() - begun
                self.journal.slowest_s = max(self.journal.slowest_s, took_s)
                return Answer(status=status, body=_read(answer), is_repeat=tries > 1)
            code = read_code(answer)
            self.journal.note_status(status, code)
            if status >= 500 and status not in NOT_NOW:
                self.journal.complain(f"{method} {path} answered {status}: {answer[:300]!r}")
            elif status == 401:
                self.caller.token = ""
                continue
            elif status not in NOT_NOW and code not in STILL_RUNNING:
                self.journal.refuse(code)
                return Answer(status=status, body=_read(answer), is_repeat=tries > 1)
            self.pause.wait(PAUSE_S)
        if not self.caller.is_gone:
            self.journal.complain(f"{method} {path} {key}: no answer within {INSIST_S} s")
        raise Unanswered(path)

    def _write_down(self, make: Any, call: tuple[str, ...], status: int, answer: bytes) -> None:
        method, path, body, key, kind = call
        if kind == "read":
            self.journal.note("read")
            return
        found = _read(answer)
        amount = int(found.get("amount_minor") or 0) if isinstance(found, dict) else 0
        subject = str(found.get("id", "")) if isinstance(found, dict) else ""
        self.journal.acknowledge(
            make(self.caller.number, method, path, body, key, kind, status, answer, subject, amount)
        )

    def send(self, method: str, path: str, body: str = "", key: str = "") -> tuple[int, bytes]:
        """Ask once; OSError or HTTPException when the answer is lost."""
        if not self.caller.token:
            self._sign_in()
        headers = {"Accept-Language": "en", "Authorization": f"Bearer {self.caller.token}"}
        if key:
            headers["Idempotency-Key"] = key
        if body:
            headers["Content-Type"] = "application/json"
        self.journal.fly(1)
        try:
            return self._exchange(method, path, body, headers)
        finally:
            self.journal.fly(-1)

    def _exchange(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection = self.connection or http.client.HTTPConnection(
            "127.0.0.1", self.caller.port, timeout=ANSWER_TIMEOUT_S
        )
        self.connection = None
        try:
            if connection.sock is None:
                connection.connect()
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self.connection = connection
        return answer.status, content

    def _sign_in(self) -> None:
        form = urlencode({"grant_type": "client_credentials"} | self.caller.client)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, content = self._exchange("POST", "/oauth/token", form, headers)
        if status != 200:
            message = f"no token: {status}"
            raise http.client.HTTPException(message)
        self.caller.token = json.loads(content)["access_token"]

    def close(self) -> None:
        """Hang up."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _read(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return answer
