"""An own PostgreSQL 18 in the data folder: made, started, recovered, stopped.

Hides: initdb, the server's configuration, what a killed server leaves behind, roles' passwords.
It listens on the loopback address only and lets nobody in without a password (SCRAM).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from giftpad.kernel.config import Settings
from giftpad.local.account import (
    can_reach,
    database_account,
    make_system_place,
    own_account,
    postgres_programs,
)
from giftpad.local.errors import NotRunning, PartFailed
from giftpad.local.home import Home, check_space, write_private
from giftpad.local.processes import Account, end, last_lines, spawn, wait_until, working_in

HOST = "127.0.0.1"
DATABASE = "giftpad"
SUPERUSER = "postgres"
OWNER_ROLE = "giftpad_owner"
START_TIMEOUT_S = 60
START_TRIES_MAX = 3
CONNECT_TIMEOUT_S = 3
STOP_SIGNALS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""Fast shutdown, immediate shutdown, the last resort."""

CONFIGURATION = """\
# Written anew at each start; changes made here do not last.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 200
shared_buffers = '256MB'
max_wal_size = '2GB'
# Segments of the log are used again; filling new ones with zeros took a seventh of a batch.
min_wal_size = '1GB'
shared_preload_libraries = 'plpgsql'
password_encryption = 'scram-sha-256'
fsync = {durable}
synchronous_commit = {durable}
full_page_writes = {durable}
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %q%u@%d '
log_checkpoints = off
# A statement or a row in the log could show a code or a name.
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""
ACCESS = f"host all all {HOST}/32 scram-sha-256\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Where the embedded database answers, one address for each kind of login."""

    app: str
    owner: str
    relay: str
    superuser: str

    def in_database(self, name: str) -> Urls:
        """Return the same logins for another database of the same server."""
        return Urls(
            app=_in_database(self.app, name),
            owner=_in_database(self.owner, name),
            relay=_in_database(self.relay, name),
            superuser=_in_database(self.superuser, name),
        )

    def apply(self, settings: Settings) -> Settings:
        """Return the settings of a process that works with this database."""
        return replace(
            settings,
            database_url=self.app,
            database_owner_url=self.owner,
            database_relay_url=self.relay,
        )


class EmbeddedPostgres:
    """The database server of one data folder; a child of the process that starts it."""

    name: ClassVar[str] = "postgres"

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home.logs / f"{self.name}.log"
        self.port = 0

    @property
    def place(self) -> Path:
        """The folder that belongs to the database's user."""
        return Path(self.home.facts().get("database_folder", self.home.path / "postgres"))

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.place / "data"

    @property
    def is_made(self) -> bool:
        """Whether there is a database already."""
        return self.home.exists and self.data.exists()

    @property
    def account(self) -> Account:
        """The user of the operating system that the server runs as."""
        return database_account(self.place)

    @property
    def urls(self) -> Urls:
        """The addresses of the running server, read from the data folder.

        Raises: NotRunning.
        """
        port = self.port or self.home.facts().get("postgres_port") if self.home.exists else None
        if not port:
            raise NotRunning(home=str(self.home.path))
        logins = {
            "app": "giftpad_app",
            "owner": "giftpad_migrate",
            "relay": "giftpad_relay",
            "superuser": SUPERUSER,
        }
        return Urls(**{name: self._url(role, int(port)) for name, role in logins.items()})

    def _url(self, role: str, port: int) -> str:
        return f"postgresql://{role}:{quote(self.home.secret(role))}@{HOST}:{port}/{DATABASE}"

    @property
    def address(self) -> str:
        """Where the server answers."""
        return f"{HOST}:{self.port}"

    def start(self) -> Urls:
        """Bring the server up, ready for migrations, and return its addresses.

        Raises: PartFailed, DiskFull, ServerMissing.
        """
        self.prepare()
        for _ in range(START_TRIES_MAX):
            self.launch()
            if wait_until(self._has_settled, timeout_s=START_TIMEOUT_S) and self.is_ready():
                self.finish_start()
                return self.urls
            self.stop()
            if is_free(self.port):
                break
            self.port = free_port()  # another program took it in the meantime
        raise PartFailed(
            part="PostgreSQL", reason="it did not answer.", log_tail=last_lines(self.log)
        )

    def _has_settled(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.is_ready()

    def prepare(self) -> None:
        """Make the database at its first use, and clear away what a killed server left behind."""
        place = self._choose_place()
        check_space(place)
        if not self.data.exists():
            self._make_database(place)
        self.clear_remains()
        remembered = self.home.facts().get("postgres_port", 0)
        self.port = remembered if remembered and is_free(remembered) else free_port()

    def _choose_place(self) -> Path:
        if "database_folder" in self.home.facts():
            return self.place
        place = self.home.path / "postgres"
        account = database_account(place)
        if not can_reach(account, self.home.path):
            place = make_system_place() / self.home.id
        if not place.exists():
            place.mkdir(mode=0o700)
            os.chown(place, account.uid, account.gid)
        self.home.remember(database_folder=str(place))
        return place

    def _make_database(self, place: Path) -> None:
        fresh = place / "data.new"  # a killed initdb leaves only this behind
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = place / "password"
        self._write_own(password_file, self.home.secret(SUPERUSER))
        command = [
            postgres_programs(self.account) / "initdb",
            *("--pgdata", fresh, "--username", SUPERUSER, "--pwfile", password_file),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *(() if self.durable else ("--no-sync",)),
        ]
        with self.home.open_log(self.name).open("ab") as log:
            made = spawn(
                command,
                environment=server_environment(),
                output=log,
                account=self._other_account(),
                cwd=place,
            ).wait()
        password_file.unlink()
        if made != 0:
            raise PartFailed(
                part="PostgreSQL", reason="initdb failed.", log_tail=last_lines(self.log)
            )
        fresh.rename(self.data)

    def _other_account(self) -> Account | None:
        account = self.account
        return None if account.uid == own_account().uid else account

    def _write_own(self, path: Path, content: str) -> None:
        write_private(path, content)
        os.chown(path, self.account.uid, self.account.gid)

    def clear_remains(self) -> None:
        """End what still works in the data folder, then remove a lock file that names nobody.

        PostgreSQL itself refuses to start when the number in its lock file belongs to any
        process of the same user by now, which after a crash is likely on a small machine.
        """
        if not self.is_made:
            return
        data = self.data.resolve()
        if not end(lambda: working_in(data, program="postgres"), STOP_SIGNALS):
            raise PartFailed(
                part="PostgreSQL",
                reason=f"an older server still works in {data} and does not end.",
                log_tail=last_lines(self.log),
            )
        (data / "postmaster.pid").unlink(missing_ok=True)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server process; it shuts down cleanly when this process dies."""
        durable = "on" if self.durable else "off"
        self._write_own(
            self.data / "postgresql.conf", CONFIGURATION.format(port=self.port, durable=durable)
        )
        self._write_own(self.data / "pg_hba.conf", ACCESS)
        with self.home.open_log(self.name).open("ab") as log:
            self.process = spawn(
                [postgres_programs(self.account) / "postgres", "-D", self.data],
                environment=server_environment(),
                output=log,
                death_signal=signal.SIGINT,
                account=self._other_account(),
                cwd=self.place,
            )
        self.home.remember(postgres_port=self.port)
        return self.process

    def is_ready(self) -> bool:
        """Tell whether the server takes connections."""
        url = _in_database(self._url(SUPERUSER, self.port), SUPERUSER)
        try:
            psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S).close()
        except psycopg.OperationalError:
            return False
        return True

    def finish_start(self) -> None:
        """Make the database, the roles and their passwords; nothing happens where they exist."""
        urls = self.urls
        roles = resources.files("giftpad.kernel").joinpath("sql/roles.sql").read_bytes()
        with psycopg.connect(urls.in_database(SUPERUSER).superuser, autocommit=True) as connection:
            connection.execute(roles)
            for url in (urls.app, urls.owner, urls.relay):
                login = urlsplit(url)
                assert login.username is not None
                self._set_password(connection, login.username, self.home.secret(login.username))
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
            ).fetchone()
            if found is None:
                make = sql.SQL("CREATE DATABASE {} OWNER {}")
                connection.execute(
                    make.format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
                )

    def _set_password(
        self, connection: psycopg.Connection[tuple[object, ...]], role: str, password: str
    ) -> None:
        verifier = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(verifier.decode())
            )
        )

    def ask_to_stop(self) -> None:
        """Leave the server running: it stops last, by ``stop``."""

    def stop(self) -> None:
        """Shut the server down cleanly."""
        if self.process is None:
            return
        for signal_number, patience_s in STOP_SIGNALS:
            if self.process.poll() is None:
                self.process.send_signal(signal_number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience_s)
        self.process = None

    def remove_data(self) -> None:
        """Remove the database, wherever it lies."""
        if self.home.exists:
            self.clear_remains()
            shutil.rmtree(self.place, ignore_errors=True)


def server_environment() -> Mapping[str, str]:
    """Return the environment of a server: it needs nothing of ours."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _in_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def is_free(port: int, host: str = HOST) -> bool:
    """Tell whether nobody listens on a port of an address of ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a loopback port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
