"""Run the sinks on two sockets of the supervisor: python -m giftpad.local.sinks 5 6."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading

from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.log import configure_logging
from giftpad.local.home import Home
from giftpad.local.postgres import HOST
from giftpad.local.sinks.mails import serve_mail
from giftpad.local.sinks.pages import build_app, open_server
from giftpad.local.sinks.part import NAME
from giftpad.local.sinks.receipts import Teller
from giftpad.local.sinks.store import Store


async def run(mail: socket.socket, http: socket.socket, settings: Settings) -> None:
    """Take mail and SMS until told to end."""
    home = Home(settings.home)
    store, secret = Store(home.sinks), home.secret(NAME)
    teller = Teller(
        address=f"http://{HOST}:{settings.port}", secret=settings.hooks_secret or secret
    )
    server = open_server(http, build_app(store, secret, teller))
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    taking = asyncio.ensure_future(serve_mail(mail, store, secret))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, taking.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await taking
    server.shutdown()


def main(arguments: list[str]) -> None:
    """Take over the sockets that the arguments number."""
    settings = read_settings()
    configure_logging(settings)
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of itself at each mail
    mail, http = (socket.socket(fileno=int(number)) for number in arguments)
    http.settimeout(0)  # while one process replaces another, both may reach for a connection
    asyncio.run(run(mail, http, settings))


if __name__ == "__main__":
    main(sys.argv[1:])
