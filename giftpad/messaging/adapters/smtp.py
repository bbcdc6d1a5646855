"""Mail by SMTP: each answer is read as what it means for the message.

Hides: smtplib, TLS, which answers are for ever.  Words of the server are not passed on, since they
quote the recipient; its numbers are.

Source: RFC 5321; RFC 2920 for several commands at once; RFC 3207 for STARTTLS; RFC 8314 for smtps.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from giftpad.messaging.rules.addresses import quote_mail, split_mail
from giftpad.messaging.rules.sending import (
    Ending,
    Outcome,
    away,
    lost,
    put_off,
    refused,
    silent,
    taken,
)

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 5.0
"""How long the server may take to answer one command."""
ACCEPT_TIMEOUT_S = 20.0
"""How long it may take over a whole mail, which many look through before they answer."""
MAILS_PER_LINE_MAX = 100
"""So many mails go by one connection; servers end those that never do."""
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
DONE, MORE, GO_ON, TEMPORARY, FOR_GOOD = 250, 300, 354, 400, 500
CLOSING = 421
_DETAIL = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})\b")
_QUEUED_AS = re.compile(rb"(?:queued as |\bid=)([\w.+/-]{4,100})(?![\w@])", re.IGNORECASE)
"""How mail servers name what they took; an address is no such name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The server that takes our mail, and in whose name it is sent."""

    host: str
    port: int
    scheme: str
    sender: Address
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str, sender: str) -> MailServer:
        """Return the server that a checked ``GIFTPAD_SMTP_URL`` names."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        name, address = parseaddr(sender)
        local, domain = split_mail(address)
        return cls(
            host=parts.hostname,
            port=parts.port or PORTS[parts.scheme],
            scheme=parts.scheme,
            sender=Address(display_name=name, username=local, domain=domain),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    def send(self, mail: bytes, *, to: str, back: str = "") -> Outcome:
        """Hand over one mail and tell how it ended; raises nothing that the server can cause.

        ``back`` is where word of a mail that bounces comes; the house's address otherwise.
        """
        line = MailLine(self)
        try:
            return line.send(mail, to=to, back=back)
        finally:
            line.close()


class MailLine:
    """Many mails to one server by few connections; one that anything went wrong with is left."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._line: _Line | None = None
        self._count = 0

    def send(self, mail: bytes, *, to: str, back: str = "") -> Outcome:
        """Hand over one mail, as ``MailServer.send``."""
        was_open = self._line is not None
        outcome, is_asked = self._try(mail, to, back)
        if was_open and not is_asked:  # a server may end a connection that was quiet
            outcome, _ = self._try(mail, to, back)
        return outcome

    def _try(self, mail: bytes, to: str, back: str) -> tuple[Outcome, bool]:
        """Tell how one try ended, and whether the server has heard of the mail."""
        try:
            line = self._line or self._open()
        except (OSError, smtplib.SMTPException) as error:
            return away(f"mail server: {_words(error)}"), False
        try:
            outcome = line.hand_over(mail, to, back)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return away(f"mail server: {_words(error)}"), line.is_asked
        self._count += 1
        if outcome.ending is not Ending.TAKEN or self._count >= MAILS_PER_LINE_MAX:
            self.close()
        return outcome, line.is_asked

    def _open(self) -> _Line:
        line = _Line(self.server)
        try:
            line.open()
        except (OSError, smtplib.SMTPException):
            _end(line)
            raise
        self._line, self._count = line, 0
        return line

    def close(self) -> None:
        """Take leave of the server, if there is a connection."""
        if self._line is not None:
            _end(self._line)
            self._line = None


def _end(line: _Line) -> None:
    with suppress(OSError, smtplib.SMTPException):
        line.quit()
    with suppress(OSError, smtplib.SMTPException):
        line.close()


class _Line(smtplib.SMTP):
    """A connection to the server, encrypted as its scheme asks."""

    is_asked = False
    """Whether the server has answered for the mail of this moment."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.context = ssl.create_default_context()
        super().__init__(
            server.host,
            server.port,
            local_hostname=server.sender.domain,  # the machine's own would be looked up, slowly
            timeout=ANSWER_TIMEOUT_S,
        )

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect as smtplib asks, but do not wait for a connection as long as for an answer."""
        plain = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
        plain.settimeout(timeout)
        if self.server.scheme != "smtps":
            return plain
        try:
            return self.context.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise

    def open(self) -> None:
        """Greet, encrypt and sign in as the settings say."""
        self.ehlo_or_helo_if_needed()
        if self.server.scheme == "smtp+starttls":
            self.starttls(context=self.context)
            self.ehlo_or_helo_if_needed()
        if self.server.user:
            self.login(self.server.user, self.server.password)

    def hand_over(self, mail: bytes, to: str, back: str) -> Outcome:
        """Send one mail by the open connection."""
        self.is_asked = False
        assert self.sock is not None
        self.sock.settimeout(ANSWER_TIMEOUT_S)
        sender = quote_mail(back) if back else self.server.sender.addr_spec
        commands = [f"MAIL FROM:<{sender}>", f"RCPT TO:<{quote_mail(to)}>", "DATA"]
        replies = self._replies(commands)
        code, said = next(replies)
        self.is_asked = code != CLOSING and code > 0
        if code != DONE:
            # Whoever refuses our own name refuses it for every mail; a tenant's, for its own.
            reason = f"mail server refused the sender: {_numbers(code, said)}"
            return put_off(reason) if back and self.is_asked else away(reason)
        for what in ("the recipient", "the mail"):
            code, said = next(replies)
            if not DONE <= code <= GO_ON:
                return _judge(code, said, what)
        if code != GO_ON:
            return _judge(code, said, "the mail")
        return self._finish(mail)

    def _replies(self, commands: list[str]) -> Iterator[tuple[int, bytes]]:
        """Give the answer to each command; all are asked at once where the server takes that.

        Whoever finds one refused must not go on with this connection: the server may wait for a
        mail that has nobody to go to.
        Source: RFC 2920.
        """
        if self.has_extn("pipelining"):
            self.send("".join(f"{command}\r\n" for command in commands))
            for _ in commands:
                yield self.getreply()
        else:
            for command in commands:
                yield self.docmd(command)

    def _finish(self, mail: bytes) -> Outcome:
        """Send the mail itself; from here on silence says nothing of whether it was taken."""
        assert self.sock is not None
        self.sock.settimeout(ACCEPT_TIMEOUT_S)
        body = mail.replace(b"\r\n.", b"\r\n..")  # its first line is a header's
        try:
            self.send(body + b".\r\n")
            code, said = self.getreply()
        except (OSError, smtplib.SMTPException) as error:
            # The library tells of silence and of an end in the same words.
            is_silence = isinstance(error.__context__ or error, TimeoutError)
            reason = f"mail server gave no answer to a whole mail: {_words(error)}"
            return silent(reason) if is_silence else lost(reason)
        if code >= TEMPORARY:
            return _judge(code, said, "the mail")
        if not DONE <= code < MORE:
            return lost(f"mail server answered a whole mail with {code}")
        found = _QUEUED_AS.search(said)
        return taken(found[1].decode("ascii", "replace") if found else "")


def _judge(code: int, said: bytes, what: str) -> Outcome:
    reason = f"mail server refused {what}: {_numbers(code, said)}"
    if code == CLOSING or code < 0:
        return away(reason)
    return refused(reason) if code >= FOR_GOOD else put_off(reason)


def _numbers(code: int, said: bytes) -> str:
    found = _DETAIL.search(said)
    return f"{code} {found[1].decode()}" if found else str(code)


def _words(error: Exception) -> str:
    """Return what went wrong without the server's words."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{type(error).__name__} {_numbers(error.smtp_code, _bytes(said))}"
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__


def _bytes(said: bytes | str) -> bytes:
    return said if isinstance(said, bytes) else said.encode()
