"""An own Redis in the data folder: queue hints and limits, kept on disk, behind a password.

Hides: the server's configuration, its port, what a killed server leaves behind.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from typing import ClassVar

import redis

from giftpad.local.account import redis_program
from giftpad.local.errors import NotRunning, PartFailed
from giftpad.local.home import Home, write_private
from giftpad.local.postgres import HOST, free_port, is_free, server_environment
from giftpad.local.processes import end, last_lines, spawn, wait_until, working_in

START_TIMEOUT_S = 30
START_TRIES_MAX = 3
ANSWER_TIMEOUT_S = 2
STOP_SIGNALS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
CONFIGURATION = """\
# Written anew at each start; changes made here do not last.
bind {host}
port {port}
requirepass {password}
dir {folder}
databases 64
daemonize no
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


class EmbeddedRedis:
    """The Redis server of one data folder; a child of the process that starts it."""

    name: ClassVar[str] = "redis"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self.log = home.logs / f"{self.name}.log"
        self.port = 0

    @property
    def url(self) -> str:
        """The address of the running server, read from the data folder.

        Raises: NotRunning.
        """
        port = self.port or self.home.facts().get("redis_port") if self.home.exists else None
        if not port:
            raise NotRunning(home=str(self.home.path))
        return f"redis://:{self.home.secret('redis')}@{HOST}:{port}/0"

    @property
    def address(self) -> str:
        """Where the server answers."""
        return f"{HOST}:{self.port}"

    def start(self) -> str:
        """Bring the server up and return its address.

        Raises: PartFailed, ServerMissing.
        """
        self.prepare()
        for _ in range(START_TRIES_MAX):
            self.launch()
            if wait_until(self._has_settled, timeout_s=START_TIMEOUT_S) and self.is_ready():
                return self.url
            self.stop()
            if is_free(self.port):
                break
            self.port = free_port()  # another program took it in the meantime
        raise PartFailed(part="Redis", reason="it did not answer.", log_tail=last_lines(self.log))

    def _has_settled(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.is_ready()

    def prepare(self) -> None:
        """Clear away what a killed server left behind, and choose the port."""
        self.clear_remains()
        remembered = self.home.facts().get("redis_port", 0)
        self.port = remembered if remembered and is_free(remembered) else free_port()

    def clear_remains(self) -> None:
        """End a server that still works in the folder."""
        folder = self.home.redis.resolve()
        if not end(lambda: working_in(folder, program="redis-server"), STOP_SIGNALS):
            raise PartFailed(
                part="Redis",
                reason=f"an older server still works in {folder} and does not end.",
                log_tail=last_lines(self.log),
            )

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server process; it ends when this process dies."""
        configuration = self.home.redis / "redis.conf"
        write_private(
            configuration,
            CONFIGURATION.format(
                host=HOST,
                port=self.port,
                password=self.home.secret("redis"),
                folder=f'"{self.home.redis}"',
            ),
        )
        with self.home.open_log(self.name).open("ab") as log:
            self.process = spawn(
                [redis_program(), configuration],
                environment=server_environment(),
                output=log,
                cwd=self.home.redis,
            )
        self.home.remember(redis_port=self.port)
        return self.process

    def is_ready(self) -> bool:
        """Tell whether the server answers."""
        try:
            with redis.Redis.from_url(
                self.url, socket_timeout=ANSWER_TIMEOUT_S, retry=None
            ) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def ask_to_stop(self) -> None:
        """Leave the server running: it stops last, by ``stop``."""

    def stop(self) -> None:
        """Shut the server down; it writes what it has first."""
        if self.process is None:
            return
        for signal_number, patience_s in STOP_SIGNALS:
            if self.process.poll() is None:
                self.process.send_signal(signal_number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience_s)
        self.process = None
