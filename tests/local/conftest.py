"""A Giftpad of small parts, driven through its commands like a person would."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from giftpad import local
from giftpad.kernel.config import read_settings
from giftpad.local import EmbeddedPostgres, Home
from giftpad.local.postgres import free_port
from giftpad.local.processes import ProcessId, members_of_session

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60


def wait_for(question, what):
    deadline = time.monotonic() + DEADLINE_S
    while not (answer := question()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return answer


class Machine:
    """One data folder and port, and the commands on it."""

    program = "tests.local.cli"

    def __init__(self, home, port=None, **variables):
        self.home = Home(home)
        self.port = port or free_port()
        self.variables = variables

    def use(self, settings):
        """Work with the servers of these settings, which are not this machine's."""
        for name in ("database_url", "database_owner_url", "database_relay_url", "redis_url"):
            self.variables[f"GIFTPAD_{name.upper()}"] = getattr(settings, name)

    def environment(self):
        own = {"GIFTPAD_HOME": str(self.home.path), "GIFTPAD_PORT": str(self.port)}
        return (
            os.environ
            | own
            | {"GIFTPAD_WEB_WORKERS": "1", "GIFTPAD_JOB_WORKERS": "1"}
            | self.variables
        )

    def run(self, *words):
        return subprocess.run(
            [sys.executable, "-m", self.program, *words],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            check=False,
            text=True,
            timeout=DEADLINE_S * 2,
        )

    def up(self, *words):
        done = self.run("up", "--detach", *words)
        assert done.returncode == 0, done.stderr + done.stdout
        return done

    def up_in_front(self):
        return subprocess.Popen(
            [sys.executable, "-m", self.program, "up"],
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def status(self):
        """Return what runs, as ``status --json`` would; a program of its own for each look would
        take from what starts."""
        if "GIFTPAD_LAN_ADDRESS" in self.variables:  # which these tests may not reach themselves
            return json.loads(self.run("status", "--json").stdout)
        return local.status(read_settings(self.environment())).as_json()

    @property
    def postgres(self):
        return EmbeddedPostgres(self.home)

    def pid_of(self, part):
        return next(each["pid"] for each in self.status()["parts"] if each["name"] == part)

    def processes(self):
        """Everything that belongs to the run, as the supervisor wrote it down."""
        own = [ProcessId(**each["process"]) for each in self.home.read_state()["parts"]]
        return [self.home.holder(), *own]

    def wait_until_up(self, restarted=()):
        def is_up():
            now = self.status()
            restarts = {each["name"]: each["restarts"] for each in now["parts"]}
            return now["state"] == "up" and all(restarts.get(name) for name in restarted)

        wait_for(is_up, f"{restarted or 'everything'} to be up")

    def answers(self):
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().read().isdigit()

    def kill_everything(self):
        supervisor, *parts = self.processes()
        os.kill(supervisor.pid, signal.SIGSTOP)  # so that it starts nothing again
        for part in parts:
            for pid in members_of_session(part.pid):
                os.kill(pid, signal.SIGKILL)
        os.kill(supervisor.pid, signal.SIGKILL)
        wait_for(lambda: not any(each.is_alive for each in (supervisor, *parts)), "their end")


@pytest.fixture
def open_folder():
    """A folder that the database's user may pass, as most folders of a machine are."""
    with tempfile.TemporaryDirectory(prefix="giftpad-machines-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def make_machine(open_folder):
    machines = []

    def make(name="home", **options):
        machine = Machine(open_folder / name, **options)
        machines.append(machine)
        return machine

    yield make
    for machine in machines:
        settings = read_settings(machine.environment())
        for end in (local.down, functools.partial(local.reset, confirmed=True)):
            with contextlib.suppress(local.LocalError):  # nothing runs, or nothing was made
                end(settings)


@pytest.fixture
def machine(make_machine):
    return make_machine()
