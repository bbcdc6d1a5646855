"""What every test may ask for: servers, a migrated database, settings that lead to them."""

from __future__ import annotations

import functools
import ipaddress
import itertools
import os
import socket

import pytest
import redis
import structlog
from xdist.scheduler import LoadScopeScheduling

from giftpad.kernel.config import Settings
from giftpad.kernel.db import Database, bind_database
from tests.database import (
    ROOM_VARIABLE,
    Servers,
    ask_for_servers,
    close_room,
    make_room,
    own_database,
    renew_database,
    settings_for,
)

WORKERS_MAX = 16
TESTS_PER_DATABASE = 60
"""Tests that share a database.  Each leaves tenants behind, and what looks at all tenants takes
longer for each of them: after a thousand tests most of the time would go into that."""
_numbers = itertools.count(1)
_uses = itertools.count(1)


def _is_worker(config) -> bool:
    return hasattr(config, "workerinput")


def pytest_configure(config):
    for variable in [name for name in os.environ if name.startswith("GIFTPAD_")]:
        del os.environ[variable]
    if not _is_worker(config):
        os.environ["PYTEST_CONTROLLER_PID"] = str(os.getpid())
        config.stash[ROOM] = make_room()


def pytest_unconfigure(config):
    if not _is_worker(config) and (room := config.stash.get(ROOM, None)):
        close_room(room)
        os.environ.pop(ROOM_VARIABLE, None)


ROOM = pytest.StashKey()
TOGETHER = ("tests/flows/", "tests/browser/", "tests/portals/test_isolation.py")
"""Tests that share what is dear to make, a running Giftpad mostly: one worker runs them all."""


class Together(LoadScopeScheduling):
    """Hands out single tests, but those of one line of ``TOGETHER`` as a whole."""

    def _split_scope(self, nodeid):
        return next((begin for begin in TOGETHER if nodeid.startswith(begin)), nodeid)


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)


@pytest.fixture(scope="session", autouse=True)
def _loopback_only():
    """Close the way to every other machine: a test that needs one is wrong."""
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = "127.0.0.1" if address[0] == "localhost" else address[0]
            if not ipaddress.ip_address(host).is_loopback:
                message = f"a test tried to reach {address!r}"
                raise PermissionError(message)
        return connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks():
    """Write errors as plain text: in frames, with every variable, each can take half a second."""
    *before, last = structlog.get_config()["processors"]
    assert isinstance(last, structlog.dev.ConsoleRenderer)
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def worker_number() -> int:
    """The number of this worker of pytest-xdist; 0 without it."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    assert number < WORKERS_MAX
    return number


@pytest.fixture(scope="session")
def servers() -> Servers:
    """The one PostgreSQL and the one Redis of this run."""
    return ask_for_servers()


@pytest.fixture(scope="session")
def settings(servers, worker_number, tmp_path_factory) -> Settings:
    """Settings of this worker's own database, migrated and empty at the first test."""
    with own_database(servers, f"worker_{worker_number}") as urls:
        own = settings_for(
            servers, urls, home=tmp_path_factory.mktemp("home"), redis_number=1 + worker_number
        )
        yield own
        bind_database(own).close()


@pytest.fixture
def fresh_settings(servers, worker_number, tmp_path) -> Settings:
    """Settings of a database that only this test sees: for damage, for counting everything."""
    name = f"worker_{worker_number}_{next(_numbers)}"
    with own_database(servers, name) as urls:
        number = 1 + WORKERS_MAX + worker_number
        own = settings_for(servers, urls, home=tmp_path / "home", redis_number=number)
        with redis.Redis.from_url(own.redis_url) as client:
            client.flushdb()
        yield own


@pytest.fixture
def database(settings, servers) -> Database:
    """The database of this worker, bound as the one this process works with.

    What this process keeps of it is read anew; its connections stay open from test to test.
    """
    from tests.make_identity import forget_apps

    bound = bind_database(settings)
    if next(_uses) % TESTS_PER_DATABASE == 0:
        bound.close()
        renew_database(servers, settings.database_url.rpartition("/")[2])
        forget_apps()
        bound = bind_database(settings)
    return bound


@pytest.fixture
def superuser_url(servers, settings) -> str:
    """The administrator's way into this worker's database, to damage what no role of ours can."""
    name = settings.database_url.rpartition("/")[2]
    return servers.urls.in_database(name).superuser


@pytest.fixture(scope="session")
def light_passwords():
    """Hash passwords with little work: the tests make thousands of people."""
    from argon2 import PasswordHasher

    from giftpad.identity.queries import people

    patch = pytest.MonkeyPatch()
    light = functools.partial(PasswordHasher, time_cost=1, memory_cost=64)
    patch.setattr(people, "PasswordHasher", light)
    people.hasher.cache_clear()
    people._nobodys_hash.cache_clear()
    yield
    patch.undo()


@pytest.fixture(scope="session")
def pictures_drawn_once():
    """Draw each picture of a pack once: a hundred companies of the tests have the same twelve."""
    from giftpad.catalog.commands import section

    patch = pytest.MonkeyPatch()
    patch.setattr(section, "draw_drawing", functools.cache(section.draw_drawing))
    yield
    patch.undo()


@pytest.fixture
def house(settings, database, light_passwords, pictures_drawn_once):
    """The whole wiring on this worker's database, as a process of the product has it."""
    from giftpad import wiring

    wiring.bootstrap(settings)


@pytest.fixture
def fresh_clock(superuser_url):
    """Move the database's clock; it runs right again after the test."""
    from datetime import timedelta

    from tests.make import move_clock

    yield lambda by: move_clock(superuser_url, by)
    move_clock(superuser_url, timedelta(0))
