"""Whoever takes mail and SMS at the other end of the wire, and writes down what came, and when.

A process of its own (``python -m bench.post``), so that what is counted is counted at the
provider's side and outlives every worker that is killed.  Mail: SMTP with PIPELINING, as the mail
servers of the world have it, and nothing between a line and its answer but what the protocol asks.
SMS: one POST a message with its idempotency key, as ``giftpad/messaging`` writes it; the same key
twice is one message.  ``POST /as?<manner>`` sets how the SMS provider is: fine, slow, failing,
silent.  ``GET /told?<first mail>,<first SMS>`` answers what came since, in JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

HOST = "127.0.0.1"
SLOW_S = 2.5
SILENT_S = 60.0
MANNERS = ("fine", "slow", "failing", "silent")
READY_S = 20
ANSWER_S = 30
NICENESS = 10
_MAIL_ID = re.compile(rb"^message-id: *<([^@>]+)", re.IGNORECASE | re.MULTILINE)
_ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"HELO": b"250 sink\r\n",
    b"MAIL": b"250 2.1.0 OK\r\n",
    b"RCPT": b"250 2.1.5 OK\r\n",
    b"RSET": b"250 2.0.0 OK\r\n",
    b"DATA": b"354 go on\r\n",
}


@dataclass
class Arrivals:
    """What came: when by the machine's steady clock, to whom, under which id."""

    mails: list[tuple[float, str, str]] = field(default_factory=list)
    texts: list[tuple[float, str, str]] = field(default_factory=list)
    """Every request for an SMS, whatever was answered."""
    taken: dict[str, str] = field(default_factory=dict)
    """SMS that the provider has, each once, by its key: its number."""
    opened: int = 0
    manner: str = "fine"
    last_mail: bytes = b""


async def _take_mails(
    arrivals: Arrivals, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    arrivals.opened += 1
    recipient = ""
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"RCPT":
            recipient = line.partition(b"<")[2].rpartition(b">")[0].decode()
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        writer.write(_ANSWERS.get(verb, b"502 5.5.1 what?\r\n"))
        if verb == b"DATA":
            mail = await reader.readuntil(b"\r\n.\r\n")
            arrivals.last_mail = mail
            found = _MAIL_ID.search(mail)
            arrivals.mails.append((time.monotonic(), recipient, found[1].decode() if found else ""))
            writer.write(b"250 2.0.0 OK: queued as %d\r\n" % len(arrivals.mails))


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    head = await reader.readline()
    if not head:
        return None
    fields: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        fields[name.strip().casefold()] = value.strip()
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return head.decode("latin-1"), fields, body


async def _take_texts(
    arrivals: Arrivals, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while (asked := await _read_request(reader)) is not None:
        head, fields, body = asked
        method, target, _ = head.split(" ", 2)
        path, _, query = target.partition("?")
        if path == "/told":
            first = [int(each) for each in query.split(",")]
            status, told = 200, _told(arrivals, *first)
        elif path == "/last":
            status, told = 200, {"mail": arrivals.last_mail.decode("latin-1")}
        elif path == "/as":
            arrivals.manner = query
            status, told = 200, {}
        elif method == "GET":
            key = query.partition("=")[2]
            status, told = (200 if key in arrivals.taken else 404), {"id": key}
        else:
            status, told = await _take_text(arrivals, fields["idempotency-key"], json.loads(body))
        answer = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n" % (status, len(answer)))
        writer.write(answer)
        await writer.drain()


async def _take_text(arrivals: Arrivals, key: str, body: dict[str, str]) -> tuple[int, Any]:
    arrivals.texts.append((time.monotonic(), body["to"], key))
    manner = arrivals.manner
    if manner == "failing":
        return 500, {}
    arrivals.taken.setdefault(key, body["to"])  # whoever says nothing has it all the same
    if manner != "fine":
        await asyncio.sleep(SLOW_S if manner == "slow" else SILENT_S)
    return 202, {"id": f"sms-{key}"}


def _told(arrivals: Arrivals, first_mail: int, first_text: int) -> dict[str, Any]:
    return {
        "mails": arrivals.mails[first_mail:],
        "texts": arrivals.texts[first_text:],
        "taken": arrivals.taken,
        "opened": arrivals.opened,
    }


async def serve() -> None:
    """Take what comes on two ports, which are said at first, until told to end."""
    arrivals = Arrivals()
    ports = []
    async with contextlib.AsyncExitStack() as stack:
        for take in (_take_mails, _take_texts):

            async def talk(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, take: Any = take
            ) -> None:
                # Whoever hangs up, or is killed, ends no other talk.
                with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
                    await take(arrivals, reader, writer)
                writer.close()

            server = await asyncio.start_server(talk, HOST, 0, limit=1 << 21)
            await stack.enter_async_context(server)
            ports.append(server.sockets[0].getsockname()[1])
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


@dataclass
class Office:
    """The other end of the wire, while it runs, and what has been heard of it."""

    mail_port: int
    sms_port: int
    mails: list[tuple[float, str, str]] = field(default_factory=list)
    texts: list[tuple[float, str, str]] = field(default_factory=list)
    taken: dict[str, str] = field(default_factory=dict)
    opened: int = 0

    @property
    def settings(self) -> dict[str, str]:
        """The product's settings that lead here."""
        return {
            "smtp_url": f"smtp://{HOST}:{self.mail_port}",
            "mail_from": "Giftpad <giftpad@bench.example>",
            "sms_url": f"http://{HOST}:{self.sms_port}/sms",
            "sms_token": "bench",
        }

    def _ask(self, method: str, path: str) -> Any:
        connection = HTTPConnection(HOST, self.sms_port, timeout=ANSWER_S)
        with contextlib.closing(connection):
            connection.request(method, path)
            return json.loads(connection.getresponse().read())

    def be(self, manner: str) -> None:
        """Let the SMS provider be fine, slow, failing or silent from now on."""
        assert manner in MANNERS
        self._ask("POST", f"/as?{manner}")

    def last_mail(self) -> bytes:
        """Return the mail that came last, as it came."""
        mail: str = self._ask("GET", "/last")["mail"]
        return mail.encode("latin-1").removesuffix(b".\r\n")

    def look(self) -> None:
        """Learn what came since the last look."""
        told = self._ask("GET", f"/told?{len(self.mails)},{len(self.texts)}")
        self.mails += [(at, to, key) for at, to, key in told["mails"]]
        self.texts += [(at, to, key) for at, to, key in told["texts"]]
        self.taken, self.opened = told["taken"], told["opened"]

    def peer_per_s(self, count: int) -> float:
        """Send the mail that came last by a bare loop over one kept connection; return the rate.

        It is as patient with the rest of the machine as workers of bulk are.
        """
        words = [sys.executable, "-m", "bench.post", "loop", str(self.mail_port), str(count)]
        done = subprocess.run(  # noqa: S603 - our own command line
            words,
            input=self.last_mail(),
            stdout=subprocess.PIPE,
            check=True,
            start_new_session=True,  # Ctrl-C is for whoever started it
        )
        return count / float(done.stdout)


def send_in_a_loop(port: int, count: int) -> None:
    """Send the mail of the standard input so many times, and say how many seconds that took."""
    os.nice(NICENESS)
    mail = sys.stdin.buffer.read()
    with smtplib.SMTP(HOST, port) as line:
        line.ehlo()
        began = time.monotonic()
        for number in range(count):
            line.sendmail("giftpad@bench.example", f"{number}@peer.example", mail)
        sys.stdout.write(f"{time.monotonic() - began}\n")


def most_in_a_second(instants: Sequence[float]) -> int:
    """Return the most that came within any second, which may begin at any instant.

    >>> most_in_a_second([0.0, 0.9, 1.0, 1.8])
    3
    """
    most = first = 0
    for place, at in enumerate(instants):
        while at - instants[first] >= 1.0:
            first += 1
        most = max(most, place - first + 1)
    return most


@contextlib.contextmanager
def running() -> Iterator[Office]:
    """Run the other end of the wire."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.post"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for whoever started it
    ) as process:
        try:
            assert process.stdout is not None
            mail_port, sms_port = json.loads(process.stdout.readline())
            yield Office(mail_port, sms_port)
        finally:
            process.terminate()
            process.wait(READY_S)


if __name__ == "__main__":
    if sys.argv[1:2] == ["loop"]:
        send_in_a_loop(int(sys.argv[2]), int(sys.argv[3]))
    else:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve())
