"""PostgreSQL and Redis that the product does not run: ours to kill, to starve and to replace.

They run as the user that the product's own servers run as, on the loopback address.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from giftpad.kernel.config import Settings
from giftpad.local import Urls
from giftpad.local.account import database_account, postgres_programs, redis_program
from giftpad.local.postgres import free_port, server_environment

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "chaos"
STARTED_WITHIN_S = 60.0
CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 100
shared_buffers = '128MB'
max_wal_size = '{wal}'
shared_preload_libraries = 'plpgsql'
timezone = 'UTC'
log_timezone = 'UTC'
"""
ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


class OwnPostgres:
    """A PostgreSQL in a folder that its user can reach."""

    def __init__(self, folder: Path, *, wal: str = "512MB") -> None:
        self.folder = folder
        self.data = folder / "data"
        self.wal = wal
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "postgres.log"
        folder.mkdir(parents=True, exist_ok=True)
        self.account = database_account(folder)
        os.chown(folder, self.account.uid, self.account.gid)
        self.programs = postgres_programs(self.account)

    @property
    def as_user(self) -> dict[str, object]:
        """How a program of PostgreSQL is started: as its user, in its folder."""
        other = self.account.uid != os.geteuid()
        who = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return {"cwd": self.folder, "env": server_environment(), **(who if other else {})}

    def make(self) -> None:
        """Make the cluster, its roles and the empty database; leaves it running."""
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        os.chown(password_file, self.account.uid, self.account.gid)
        words = ["--pgdata", self.data, "--username", "postgres", "--pwfile", password_file]
        words += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"]
        words += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        subprocess.run(
            [self.programs / "initdb", *words], check=True, capture_output=True, **self.as_user
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION.format(port=self.port, wal=self.wal))
        (self.data / "pg_hba.conf").write_text(ACCESS)
        self.start()
        with psycopg.connect(self.url("postgres", database="postgres"), autocommit=True) as admin:
            admin.execute((ROOT / "giftpad/kernel/sql/roles.sql").read_bytes())
            for role in ("giftpad_app", "giftpad_migrate", "giftpad_relay"):
                admin.execute(f"ALTER ROLE {role} PASSWORD '{PASSWORD}'")
            admin.execute("CREATE DATABASE giftpad OWNER giftpad_owner")

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self.launch()
        deadline = time.monotonic() + STARTED_WITHIN_S
        while not self.answers():
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            time.sleep(0.1)

    def launch(self) -> None:
        """Start the server process."""
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for this process, which ends its servers
                **self.as_user,
            )

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.url("postgres", database="postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, role: str, *, port: int = 0, database: str = "giftpad") -> str:
        """Return the address of a role, straight or through a proxy."""
        return f"postgresql://{role}:{quote(PASSWORD)}@127.0.0.1:{port or self.port}/{database}"

    def urls(self, port: int = 0) -> Urls:
        """Return all addresses, straight or through a proxy."""
        return Urls(
            app=self.url("giftpad_app", port=port),
            owner=self.url("giftpad_migrate", port=port),
            relay=self.url("giftpad_relay", port=port),
            superuser=self.url("postgres"),
        )

    def kill(self) -> None:
        """End the server without warning, with all its backends; it is waited for."""
        if self.process is None:
            return
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        backends = [int(word) for word in children.read_text().split()]
        self.process.kill()
        self.process.wait()
        for pid in backends:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue
        self.process = None

    def stop(self) -> None:
        """Shut the server down."""
        if self.process is not None:
            self.process.send_signal(2)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def remove(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class OwnRedis:
    """A Redis in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        words += ["--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [redis_program(), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # as above
            )
        deadline = time.monotonic() + STARTED_WITHIN_S
        while not self.answers():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            with redis.Redis(port=self.port, socket_timeout=2, retry=None) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def url(self, port: int = 0) -> str:
        """Return its address, straight or through a proxy."""
        return f"redis://127.0.0.1:{port or self.port}/0"

    def stop(self) -> None:
        """Shut the server down."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
        self.process = None


def settings_at(urls: Urls, redis_url: str, kek: Path) -> dict[str, str]:
    """Return the product's settings for servers that are not its own."""
    found = urls.apply(Settings(redis_url=redis_url, kek_file=str(kek)))
    names = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")
    return {name: getattr(found, name) for name in names}
