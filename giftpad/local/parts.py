"""The programs of one Giftpad: which there are, how each is started, when it counts as up.

Hides: command lines, the environment of a child.  What a program of ours may rely on:
it gets its whole configuration as ``GIFTPAD_*`` variables, writes its log to standard error,
ends within ``STOP_PATIENCE_S`` of a SIGTERM, and may be killed at any moment.
"""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Protocol

import giftpad
from giftpad.kernel.config import Settings
from giftpad.local.certificates import CertificateFolder
from giftpad.local.errors import KeyMissing
from giftpad.local.home import Home
from giftpad.local.lan import lan_answers
from giftpad.local.postgres import HOST, EmbeddedPostgres
from giftpad.local.processes import (
    ProcessId,
    end,
    identify,
    listening_on,
    members_of_session,
    send,
    spawn,
    wait_until,
)
from giftpad.local.redis import EmbeddedRedis

ROOT = Path(giftpad.__file__).resolve().parents[1]
CONNECTIONS_MAX = 512
"""Connections that one web process keeps open; granian does not even accept more, so that they
would wait without a word.  Whoever asks too much is told so by the door (giftpad.edge.overload)."""
THREADS_BESIDE = 6
"""Threads of one web process beside those of its places: five wait for bodies of strangers
(giftpad.edge.bodies), the last says no.  Bodies of callers that we know may take more.  A thread
without a request costs: it looks for the next one before it sleeps.  So there are far fewer of them
than connections."""
THREADS_MIN = 22
"""However few places there are: four threads more than bodies are waited for."""
HEADERS_WITHIN_MS = 5000
"""A connection that has not sent a whole head by then is ended, and so is one that says nothing."""
HEAD_MAX = 16_384
"""Bytes of a head; a longer one is refused, and so costs nothing to read."""
READY_TIMEOUT_S = 2
STOP_PATIENCE_S = 15.0
KILL_PATIENCE_S = 5.0
REMAINS_PATIENCE_S = 5.0
PROVEN_S = 3.0
"""A program that nobody can ask works when it has run for so long."""
WEB, WEB_LAN = "web", "web-lan"
SERVERS = (EmbeddedPostgres.name, EmbeddedRedis.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A piece of work between the databases and the web server, run once at each start.

    ``target`` names a function of the settings as ``module:function``; what it prints is shown.
    """

    name: str
    target: str


MIGRATIONS = Step(name="migrations", target="giftpad.kernel.migrate:upgrade")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What this supervisor is to run beside the databases."""

    steps: tuple[Step, ...] = (MIGRATIONS,)
    web: str = "wsgi:app"
    """The WSGI application, as ``module:name``."""
    worker: str = "worker"
    """The package whose ``-m`` takes ``relay``, ``scheduler``, ``watch``, ``jobs <lane>``."""
    sinks: str = "giftpad.local.sinks"
    """The package whose ``-m`` takes the two sockets that mail and SMS arrive on; empty: none."""


class Part(Protocol):
    """One supervised process, and how to tell that it works."""

    process: subprocess.Popen[bytes] | None

    @property
    def name(self) -> str:
        """What ``status`` and the log call it."""

    @property
    def log(self) -> Path:
        """The file its output goes to."""

    @property
    def address(self) -> str:
        """Where it answers, without a password; empty where nobody calls it."""

    def clear_remains(self) -> None:
        """End what its last process left behind."""

    def launch(self) -> subprocess.Popen[bytes]:
        """Start its process."""

    def is_ready(self) -> bool:
        """Tell whether it works."""

    def ask_to_stop(self) -> None:
        """Let it finish what it has begun; servers wait for ``stop``."""

    def stop(self) -> None:
        """End it in good order."""


class Program:
    """One of our own programs: web server, relay, scheduler, a worker."""

    pass_fds: tuple[int, ...] = ()
    """Open files that it takes over: sockets."""

    def __init__(
        self,
        home: Home,
        name: str,
        *,
        command: Sequence[str],
        settings: Settings,
        address: str = "",
        answers: Callable[[], bool] | None = None,
        listeners: int = 0,
        port: int = 0,
    ) -> None:
        self.home = home
        self.name = name
        self.command = command
        self.settings = settings
        self.address = address
        self.answers = answers
        self.listeners = listeners
        self.port = port
        self.log = home.logs / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.launched_at = 0.0

    def make_anew(self) -> Program:
        """Return the same program, not started: what is to take this one's place."""
        fresh = copy.copy(self)
        fresh.process, fresh.launched_at = None, 0.0
        return fresh

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the program; it is told to end when this process dies."""
        with self.home.open_log(self.name).open("ab") as log:
            self.process = spawn(
                self.command,
                environment=child_environment(self.settings),
                output=log,
                cwd=ROOT,
                pass_fds=self.pass_fds,
            )
        self.launched_at = time.monotonic()
        return self.process

    def is_ready(self) -> bool:
        """Tell whether the program runs and, where it can be asked, answers."""
        running = self.process is not None and self.process.poll() is None
        return running and (self.answers is None or self.answers())

    def takes_over(self) -> bool:
        """Tell whether this program, started beside an older one of its kind, does the work now.

        The older web server answers on the same port, so this one counts by the sockets that its
        processes listen on, which they open when they have loaded everything.
        """
        assert self.process is not None
        if self.listeners:
            pids = members_of_session(self.process.pid)
            return len(listening_on(self.port, pids)) >= self.listeners
        return time.monotonic() - self.launched_at >= PROVEN_S

    def clear_remains(self) -> None:
        """End what the program's last process has started and left behind."""
        if self.process is not None:
            end_session(self.process.pid)

    def ask_to_stop(self) -> None:
        """Tell the program to end; what it has begun it may finish."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """End the program with everything it has started; insist after a while."""
        if self.process is not None:
            self.ask_to_stop()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_PATIENCE_S)
            end_session(self.process.pid)
            self.process.wait()
            self.process = None


def end_session(leader_pid: int) -> bool:
    """Kill a program and all it has started; tells whether nothing is left."""
    return end(lambda: members_of_session(leader_pid), ((signal.SIGKILL, KILL_PATIENCE_S),))


def clear_programs(home: Home) -> None:
    """End the programs of a run whose supervisor was killed, where they still run.

    They were told to end when it died, and may be about to; servers are found by their folders.
    """
    left = []
    for state in home.read_state().get("parts", []):
        was = ProcessId(**state["process"]) if state["process"] else None
        if was is not None and state["name"] not in SERVERS and was.is_of_this_boot:
            left.append(was)
    send([was.pid for was in left if was.is_alive], signal.SIGTERM)
    wait_until(lambda: not any(was.is_alive for was in left), timeout_s=REMAINS_PATIENCE_S)
    for was in left:
        if identify(was.pid) in (None, was):  # the number is not somebody else's by now
            end_session(was.pid)


def child_environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a program that is to work with exactly these settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIFTPAD_")}
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if field.name != "environment" and value != field.default:
            environment[f"GIFTPAD_{field.name.upper()}"] = str(value)
    return environment | {"PYTHONUNBUFFERED": "1"}


def fit_for_children(settings: Settings, home: Home) -> Settings:
    """Return the settings with absolute paths, since children work in another folder.

    Raises: KeyMissing.
    """
    if settings.kek_file:
        kek = Path(settings.kek_file).expanduser().absolute()
    elif settings.is_embedded:
        kek = home.kek
    else:
        raise KeyMissing
    return replace(settings, home=home.path, kek_file=str(kek))


def web_answers(settings: Settings) -> bool:
    """Tell whether the web server says that it is ready."""
    connection = HTTPConnection(HOST, settings.port, timeout=READY_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def programs(home: Home, settings: Settings, arrangement: Arrangement) -> list[Program]:
    """Return our own programs in the order they start."""
    tasks = {"relay": ["relay"], "scheduler": ["scheduler"], "watch": ["watch"]}
    tasks["jobs-codes"] = ["jobs", "codes"]
    for number in range(1, settings.job_workers + 1):
        tasks[f"jobs-{number}"] = ["jobs", lane_of(number, settings.job_workers)]
    workers = [
        Program(
            home,
            name,
            command=[sys.executable, "-m", arrangement.worker, *words],
            settings=settings,
        )
        for name, words in tasks.items()
    ]
    return [*web_servers(home, settings, arrangement), *workers]


def web_servers(home: Home, settings: Settings, arrangement: Arrangement) -> list[Program]:
    """Return the web server of this machine and, where phones are served, that of the network."""
    web = Program(
        home,
        WEB,
        command=web_command(settings, arrangement.web),
        settings=settings,
        address=f"http://{HOST}:{settings.port}",
        answers=lambda: web_answers(settings),
        listeners=settings.web_workers,
        port=settings.port,
    )
    if not settings.lan_address:
        return [web]
    folder = CertificateFolder(settings.lan_folder)
    certificate = [
        *("--ssl-certificate", str(folder.server), "--ssl-keyfile", str(folder.server_key)),
        *("--ssl-protocol-min", "tls1.2"),
    ]
    web_lan = Program(
        home,
        WEB_LAN,
        command=web_command(
            settings,
            arrangement.web,
            host=settings.lan_address,
            port=settings.lan_port,
            more=certificate,
        ),
        settings=replace(settings, trusted_proxies=0),  # phones come straight here
        address=settings.lan_url,
        answers=lambda: lan_answers(settings),
        listeners=settings.web_workers,
        port=settings.lan_port,
    )
    return [web, web_lan]


def lane_of(number: int, count: int) -> str:
    """Return what one of several workers takes: a long print must not hold up what is quick.

    >>> [lane_of(number, 4) for number in range(1, 5)]
    ['quick', 'heavy', 'bulk', 'heavy']
    """
    if count == 1:
        return "all"
    return {1: "quick", 3: "bulk"}.get(number, "heavy")


def web_command(
    settings: Settings,
    application: str,
    *,
    host: str = HOST,
    port: int = 0,
    more: Sequence[str] = (),
) -> list[str]:
    """Return the command line of a web server; without a port it is that of the settings."""
    threads = max(THREADS_MIN, settings.web_threads + settings.web_queue + THREADS_BESIDE)
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", host, "--port", str(port or settings.port)),
        *("--http", "1", "--no-ws", "--workers", str(settings.web_workers)),
        *("--blocking-threads", str(threads), "--runtime-threads", "1"),
        *("--http1-header-read-timeout", str(HEADERS_WITHIN_MS)),
        *("--http1-buffer-size", str(HEAD_MAX)),
        *("--backpressure", str(CONNECTIONS_MAX), "--log-level", "warning"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5"),
        *("--workers-kill-timeout", "8", *more, application),
    ]
