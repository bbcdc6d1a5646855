"""The SMTP server of this machine: it takes a mail from whoever knows the password, and keeps it.

Hides: aiosmtpd, how a mail is taken apart.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from giftpad.local.sinks.part import USER
from giftpad.local.sinks.store import Store

MAIL_BYTES_MAX = 1_048_576
SHOWN_HEADERS = ("From", "To", "Date", "Message-ID", "Auto-Submitted", "Content-Language")


class Letterbox:
    """Keeps every mail of a client that has signed in."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it so
        self, _server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take no mail from strangers of the same machine."""
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one mail."""
        mail = message_from_bytes(envelope.content, policy=default)
        kept = self.store.keep(
            channel="mail",
            to=list(envelope.rcpt_tos),
            sender=str(mail["From"] or envelope.mail_from),
            subject=str(mail["Subject"] or ""),
            text=_part(mail, "plain"),
            html=_part(mail, "html"),
            headers={name: str(mail[name]) for name in SHOWN_HEADERS if mail[name]},
            key=str(mail["Message-ID"] or ""),
            pictures=_pictures(mail),
        )
        return f"250 2.0.0 OK: queued as {kept}"


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _pictures(mail: EmailMessage) -> dict[str, str]:
    """Return the pictures that a mail shows, by their names; a drawing that is code is none."""
    return {
        str(part["Content-ID"]).strip("<>"): base64.b64encode(part.get_content()).decode()
        for part in mail.walk()
        if part.get_content_type() == "image/png" and part["Content-ID"]
    }


async def serve_mail(listening: socket.socket, store: Store, secret: str) -> None:
    """Take mail on a socket until cancelled."""
    expected = LoginPassword(USER.encode(), secret.encode())

    def let_in(*asked: Any) -> AuthResult:
        given = asked[-1]
        return AuthResult(
            success=isinstance(given, LoginPassword)
            and given.login == expected.login
            and hmac.compare_digest(given.password, expected.password),
            handled=False,
        )

    loop = asyncio.get_running_loop()
    box = Letterbox(store)
    server = await loop.create_server(
        lambda: SMTP(
            box,
            data_size_limit=MAIL_BYTES_MAX,
            hostname="localhost",
            ident="Giftpad's sink",
            auth_require_tls=False,  # nothing leaves the loopback address
            authenticator=let_in,
            loop=loop,
        ),
        sock=listening,
    )
    async with server:
        await server.serve_forever()
