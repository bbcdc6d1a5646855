"""Providers of the tests' own: an SMTP server and an SMS provider that do what a test says."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CUT = "cut"
"""Instead of an answer: the line is cut."""


class Cut(Exception):
    """The line is to be cut now."""


@dataclass
class MailProvider:
    """A mail server; ``replies`` replaces its answer to a step, one after the other."""

    port: int = 0
    replies: dict[str, list[str]] = field(default_factory=dict)
    mails: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    opened: int = 0
    arrived: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event | None = None
    """While it is not set, a whole mail is not answered."""

    def reply(self, step: str, usual: str) -> str:
        waiting = self.replies.get(step)
        return waiting.pop(0) if waiting else usual

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


class _Talk(socketserver.StreamRequestHandler):
    server: Any

    @property
    def provider(self) -> MailProvider:
        return self.server.provider

    def say(self, step: str, usual: str) -> str:
        reply = self.provider.reply(step, usual)
        if reply == CUT:
            raise Cut
        self.wfile.write(reply.encode() + b"\r\n")
        return reply

    def handle(self) -> None:
        self.provider.opened += 1
        try:
            self.say("greeting", "220 provider")
            while line := self.rfile.readline():
                self.answer(line.decode().strip())
        except (Cut, ConnectionError):
            return

    def answer(self, line: str) -> None:
        verb = line.split(" ", maxsplit=1)[0].upper()
        if verb == "MAIL":
            self.provider.senders.append(line.partition("<")[2].partition(">")[0])
        if verb == "DATA":
            if self.say("DATA", "354 go on").startswith("354"):
                self.take()
        elif verb == "RCPT":
            if self.say("RCPT", "250 2.1.5 fine").startswith("250"):
                self.provider.recipients.append(line.partition("<")[2].rstrip(">"))
        elif verb == "QUIT":
            self.say("QUIT", "221 bye")
            raise Cut
        else:
            self.say(verb, "250 fine")

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise Cut  # a mail that has no end is none
            lines.append(line)
        self.provider.mails.append(b"".join(lines))
        self.provider.arrived.set()
        if self.provider.gate is not None:
            assert self.provider.gate.wait(20)
        self.say("taken", "250 2.0.0 Ok: queued as 4F1D2C")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    provider: Any


@contextmanager
def mail_provider() -> Iterator[MailProvider]:
    """Run a mail server of the test's own."""
    with _Server(("127.0.0.1", 0), _Talk) as server:
        server.provider = MailProvider(port=server.server_address[1])
        with _running(server):
            yield server.provider


@dataclass
class SmsProvider:
    """An SMS provider; ``statuses`` are what it answers, one after the other, then 202."""

    port: int = 0
    statuses: list[int | str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    gate: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)
    at: list[float] = field(default_factory=list)
    """When each SMS came, as the provider sees it."""
    known: list[dict[str, Any]] = field(default_factory=list)
    """What a provider like Twilio lists of what it took."""
    look_ups: list[str] = field(default_factory=list)
    listing: int = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sms"

    @property
    def twilio_url(self) -> str:
        return f"twilio+http://127.0.0.1:{self.port}/2010-04-01/Accounts/AC1/Messages.json"

    @property
    def keys(self) -> list[str]:
        return [each["headers"]["Idempotency-Key"] for each in self.asked]


class _Post(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        provider: SmsProvider = self.server.provider
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        is_form = self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        body = dict(parse_qsl(raw.decode())) if is_form else json.loads(raw)
        provider.at.append(time.monotonic())
        if is_form:
            provider.known.append({"to": body["To"], "body": body["Body"], "sid": "SM-listed"})
        provider.asked.append({"headers": dict(self.headers), "body": body, "path": self.path})
        provider.arrived.set()
        if provider.gate is not None:
            provider.gate.wait(20)
        status = provider.statuses.pop(0) if provider.statuses else 202
        if status == CUT:
            self.close_connection = True
            return
        name = "sid" if is_form else "id"
        self.reply(int(status), {name: f"sms-{len(provider.asked)}"})

    def do_GET(self) -> None:
        provider: SmsProvider = self.server.provider
        provider.look_ups.append(self.path)
        wanted = dict(parse_qsl(urlsplit(self.path).query))
        if "To" in wanted:
            found = [each for each in provider.known if each["to"] == wanted["To"]]
            self.reply(provider.listing, {"messages": found})
            return
        is_known = wanted["key"] in provider.keys
        self.reply(200 if is_known else 404, {"id": "sms-asked"})

    def reply(self, status: int, told: object) -> None:
        answer = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        pass


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    provider: Any


@contextmanager
def sms_provider() -> Iterator[SmsProvider]:
    """Run an SMS provider of the test's own."""
    with _Http(("127.0.0.1", 0), _Post) as server:
        server.provider = SmsProvider(port=server.server_address[1])
        with _running(server):
            yield server.provider


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
