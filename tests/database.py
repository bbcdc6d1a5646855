"""The servers of a test run: one PostgreSQL and one Redis, a database of its own for each worker.

They start when the first test asks for them, belong to a keeper process that outlives every
worker of pytest-xdist, and end with the run, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
from psycopg import sql

from giftpad.kernel import migrate
from giftpad.kernel.config import Settings
from giftpad.local import EmbeddedPostgres, EmbeddedRedis, Home, Urls

ROOT = Path(__file__).resolve().parents[1]
ROOM_VARIABLE = "PYTEST_SERVERS_ROOM"
TEMPLATE = "giftpad_template"
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 60
REDIS_DATABASES = 64
NOBODY = {
    "smtp_url": "smtp://127.0.0.1:9",
    "mail_from": "Giftpad <no-reply@giftpad.example>",
    "sms_url": "http://127.0.0.1:9/sms",
    "sms_token": "nobody asks for it",
}
"""Providers that are set and not there: messages are recorded, and wait."""
_MAKE = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER giftpad_owner STRATEGY file_copy")
_DROP = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the servers of this run answer; the databases are those of the template."""

    urls: Urls
    redis_url: str
    kek_file: str

    def redis_url_of(self, number: int) -> str:
        """Return the address of one of Redis's numbered databases."""
        assert 0 <= number < REDIS_DATABASES
        return f"{self.redis_url.rpartition('/')[0]}/{number}"


def make_room() -> Path:
    """Make the folder of a run and tell the workers its name."""
    room = Path(tempfile.mkdtemp(prefix="giftpad-test-"))
    room.chmod(0o755)  # the database's user must pass
    os.environ[ROOM_VARIABLE] = str(room)
    return room


def close_room(room: Path) -> None:
    """End the keeper, if a test has needed it, and remove the folder."""
    pid_file = room / "keeper.pid"
    if pid_file.exists():
        keeper = os.pidfd_open(int(pid_file.read_text()))
        signal.pidfd_send_signal(keeper, signal.SIGTERM)
        select.select([keeper], [], [], STOP_TIMEOUT_S)
        os.close(keeper)
    shutil.rmtree(room, ignore_errors=True)


def ask_for_servers() -> Servers:
    """Return the run's servers; the first who asks starts them."""
    room = Path(os.environ[ROOM_VARIABLE])
    answer = room / "servers.json"
    with (room / "asking").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        if (room / "failed").exists():
            _refuse_for_good(room)
        if not answer.exists():
            _start_keeper(room, answer)
    found = json.loads(answer.read_text())
    return Servers(**(found | {"urls": Urls(**found["urls"])}))


def _start_keeper(room: Path, answer: Path) -> None:
    controller_pid = os.environ.get("PYTEST_CONTROLLER_PID", str(os.getpid()))
    with (room / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.database", str(room), controller_pid],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not answer.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            _refuse_for_good(room)
        time.sleep(0.02)
    keeper.returncode = 0  # it is not ours to wait for: it ends with the controller


def _refuse_for_good(room: Path) -> NoReturn:
    (room / "failed").touch()
    last_words = (room / "keeper.log").read_text().splitlines()[-20:]
    raise RuntimeError("\n".join(["The servers of this test run did not start.", *last_words]))


@contextmanager
def own_database(servers: Servers, name: str, *, template: str = TEMPLATE) -> Iterator[Urls]:
    """Lend a database that is a copy of the migrated template."""
    renew_database(servers, name, template=template)
    yield servers.urls.in_database(name)
    with psycopg.connect(_administration(servers), autocommit=True) as connection:
        connection.execute(_DROP.format(sql.Identifier(name)))


def renew_database(servers: Servers, name: str, *, template: str = TEMPLATE) -> None:
    """Put a new copy of the template in the place of a database, which need not be there."""
    with psycopg.connect(_administration(servers), autocommit=True) as connection:
        connection.execute(_DROP.format(sql.Identifier(name)))
        connection.execute(_MAKE.format(sql.Identifier(name), sql.Identifier(template)))


def _administration(servers: Servers) -> str:
    return servers.urls.in_database("postgres").superuser


def settings_for(servers: Servers, urls: Urls, *, home: Path, redis_number: int) -> Settings:
    """Return the settings of a process that works with one lent database."""
    home.mkdir(parents=True, exist_ok=True)
    return urls.apply(
        Settings(
            home=home,
            redis_url=servers.redis_url_of(redis_number),
            kek_file=servers.kek_file,
            log_level="WARNING",
            **NOBODY,
        )
    )


def keep(room: Path, controller_pid: int) -> None:
    """Run the servers until told to end, or until the run's controller is gone."""
    home = Home(room / "home")
    home.prepare()
    postgres, queue = EmbeddedPostgres(home, durable=False), EmbeddedRedis(home)
    reading, writing = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(writing, b"."))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        urls, redis_url = postgres.start(), queue.start()
        _make_template(urls)
        (room / "keeper.pid").write_text(str(os.getpid()))
        servers = Servers(
            urls=urls.in_database(TEMPLATE), redis_url=redis_url, kek_file=str(home.kek)
        )
        fresh = room / "servers.json.new"
        fresh.write_text(json.dumps(asdict(servers)))
        fresh.rename(room / "servers.json")
        controller = os.pidfd_open(controller_pid)
        ended, _, _ = select.select([reading, controller], [], [])
    finally:
        queue.stop()
        postgres.stop()
        postgres.remove_data()
    if controller in ended:  # else it removes the room itself
        shutil.rmtree(room, ignore_errors=True)


def _make_template(urls: Urls) -> None:
    with psycopg.connect(urls.in_database("postgres").superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER giftpad_owner")  # type: ignore[arg-type]
    migrate.upgrade(urls.in_database(TEMPLATE).apply(Settings()))


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]))
