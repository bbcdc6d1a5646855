"""The sinks as a part under the supervisor, and the settings that lead to them.

The supervisor opens their sockets and passes them on.  So a port is never lost to another program
in between, and what is sent while the sinks are started, or started again, waits a moment.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, replace
from typing import Any

from giftpad.kernel.config import Settings
from giftpad.local.home import Home
from giftpad.local.parts import Program
from giftpad.local.postgres import HOST

NAME = "sinks"
USER = "giftpad"
SENDER = "Giftpad <giftpad@localhost>"
SMS_PATH = "/sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sinks:
    """Where the sinks of a data folder listen."""

    mail_port: int
    http_port: int

    @property
    def page(self) -> str:
        """The address of the page that shows what has arrived."""
        return f"http://{HOST}:{self.http_port}"

    def apply(self, settings: Settings, home: Home) -> Settings:
        """Return settings by which mail and SMS are sent here."""
        secret = home.secret(NAME)
        return replace(
            settings,
            smtp_url=f"smtp://{USER}:{secret}@{HOST}:{self.mail_port}",
            mail_from=settings.mail_from or SENDER,
            sms_url=self.page + SMS_PATH,
            sms_token=secret,
            hooks_secret=settings.hooks_secret or secret,
        )

    def as_state(self) -> dict[str, Any]:
        """Return what is published of them."""
        return {"mail_port": self.mail_port, "http_port": self.http_port}


class SinkProgram(Program):
    """The process of the sinks; its sockets outlive it."""

    def __init__(
        self, home: Home, settings: Settings, module: str, *, sockets: tuple[socket.socket, ...]
    ) -> None:
        mail, http = sockets
        self.sinks = Sinks(mail_port=mail.getsockname()[1], http_port=http.getsockname()[1])
        self.sockets = sockets
        super().__init__(
            home,
            NAME,
            command=[sys.executable, "-m", module, *(str(each.fileno()) for each in sockets)],
            settings=settings,
            address=self.sinks.page,
        )
        self.pass_fds = tuple(each.fileno() for each in sockets)


def wants_sinks(settings: Settings) -> bool:
    """Whether nothing that people would really receive can leave this installation."""
    return settings.is_embedded and not settings.smtp_url and not settings.sms_url


def open_sinks(home: Home, settings: Settings, module: str) -> SinkProgram:
    """Open the sockets, on the ports of the last time where they are free, and make the part."""
    facts = home.facts()
    sockets = tuple(_listen(facts.get(f"sinks_{each}_port", 0)) for each in ("mail", "http"))
    program = SinkProgram(home, settings, module, sockets=sockets)
    home.remember(sinks_mail_port=program.sinks.mail_port, sinks_http_port=program.sinks.http_port)
    return program


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError:  # somebody else has it by now
        return socket.create_server((HOST, 0))
