"""A payment and a look-up cost one round trip to the database each, counted at the wire."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections import Counter
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import pytest

from giftpad import identity, wiring
from giftpad.app import build_app
from giftpad.kernel.db import database as current_database
from giftpad.kernel.ids import new_id
from tests import make
from tests.make_callers import Caller

CALLS = 20
WINDOWS_MAX = 3
BLOCK = 65536


class Wire:
    """A proxy before PostgreSQL that counts, connection by connection, who asked how often.

    A round trip begins when the client speaks after the server, or first of all.
    """

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.trips = Counter()
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.sockets = [self.listener]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.sockets += [client, server]
            thread = threading.Thread(target=self._carry, args=(client, server), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _carry(self, client, server):
        number = client.fileno()
        last = server
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in selector.select():
                    try:
                        block = key.fileobj.recv(BLOCK)
                        if not block:
                            return
                        if key.fileobj is client and last is server:
                            self.trips[number] += 1
                        last = key.fileobj
                        key.data.sendall(block)
                    except OSError:
                        return

    def close(self):
        for each in self.sockets:
            with_shutdown(each)
        for thread in self.threads:
            thread.join(5)


def with_shutdown(each):
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@pytest.fixture
def wire(settings):
    parts = urlsplit(settings.database_url)
    wire = Wire(parts.hostname, parts.port)
    yield wire
    current_database().close()
    wire.close()


@pytest.fixture
def counted(settings, wire):
    """The application with its database behind the counting wire."""
    parts = urlsplit(settings.database_url)
    netloc = parts.netloc.rpartition(":")[0] + f":{wire.port}"
    url = urlunsplit(parts._replace(netloc=netloc))
    through = replace(settings, database_url=url)
    wiring.bootstrap(through)
    identity.ensure_keys()
    return build_app(through)  # made by create_app, it would look at its switches for ever


@pytest.mark.parametrize("what", ["payments", "instruments/lookup"])
def test_one_call_is_one_round_trip(counted, wire, what):
    town = make.make_town()
    make.issue(town)
    till = Caller(counted, town.scope, "payments:accept", shop_id=town.shop_id)
    body = {"instrument": {"kind": "coupon", "code": town.coupons[0].qr}}
    if what == "payments":
        body["amount_minor"] = 1

    def call():
        answered = till.post(f"/api/v1/{what}", body, key=new_id().hex)
        assert answered.status_code in (200, 201), answered.text

    for _ in range(3):
        call()
    for _ in range(WINDOWS_MAX):
        wire.trips.clear()
        for _ in range(CALLS):
            call()
        if len(wire.trips) == 1:  # else a cache of this process was renewed in between
            break
    assert list(wire.trips.values()) == [CALLS]
