"""A primary and its synchronous standby, made and lost by the commands of the operating page.

The blocks of ``docs/operating/failover.md`` are run as they stand there; only the values of the
variables in its first block are ours.  Every block runs as PostgreSQL's user.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from giftpad.local.postgres import free_port
from giftpad.local.processes import working_in
from tests.chaos.servers import PASSWORD, ROOT, OwnPostgres
from tests.chaos.world import wait_for

PAGE = ROOT / "docs/operating/failover.md"
BLOCK = re.compile(r"^```sh (?P<name>[\w-]+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND_TIMEOUT_S = 120


def read_blocks() -> dict[str, str]:
    """Return the page's commands by the name that their fence gives."""
    return {found["name"]: found["text"] for found in BLOCK.finditer(PAGE.read_text("utf-8"))}


class Pair:
    """Two servers; which of them is the primary changes with each failover."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.first = OwnPostgres(folder / "one")
        self.folder = folder
        self.say = say
        self.blocks = read_blocks()
        self.primary = (folder / "one/data", self.first.port)
        self.standby = (folder / "two/data", free_port())
        (folder / "two").mkdir(parents=True)
        os.chown(folder / "two", self.first.account.uid, self.first.account.gid)

    def url(self, role: str) -> str:
        """Return an address that leads to whichever of the two takes writes."""
        ports = sorted((self.primary[1], self.standby[1]))
        return (
            f"postgresql://{role}:{PASSWORD}@/giftpad?host=127.0.0.1,127.0.0.1"
            f"&port={ports[0]},{ports[1]}&target_session_attrs=read-write"
        )

    def settings(self) -> dict[str, str]:
        """Return the three addresses of the product."""
        roles = {"": "giftpad_app", "owner_": "giftpad_migrate", "relay_": "giftpad_relay"}
        return {f"database_{kind}url": self.url(role) for kind, role in roles.items()}

    @property
    def variables(self) -> dict[str, str]:
        """The values of the page's variables."""
        admin = f"postgresql://postgres:{PASSWORD}@127.0.0.1"
        return {
            "PATH": f"{self.first.programs}:{os.defpath}",
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "PRIMARY_HOST": "127.0.0.1",
            "PRIMARY_PORT": str(self.primary[1]),
            "PRIMARY_DATA": str(self.primary[0]),
            "PRIMARY_ADMIN": f"{admin}:{self.primary[1]}/postgres",
            "STANDBY_HOST": "127.0.0.1",
            "STANDBY_ADDRESS": "127.0.0.1",
            "STANDBY_PORT": str(self.standby[1]),
            "STANDBY_DATA": str(self.standby[0]),
            "STANDBY_ADMIN": f"{admin}:{self.standby[1]}/postgres",
            "STANDBY_PASSWORD": "a-password-of-its-own",
        }

    def run(self, name: str) -> str:
        """Run one block of the page."""
        own = {key: value for key, value in self.first.as_user.items() if key != "env"}
        done = subprocess.run(
            ["/bin/bash", "-e", "-u", "-o", "pipefail", "-c", self.blocks[name]],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            **own,
        )
        assert done.returncode == 0, f"{name}: {done.stdout}"
        return done.stdout

    def make(self) -> None:
        """Make the primary as the page on external servers says, then the standby."""
        self.first.make()
        self.run("role")
        self._attach()

    def make_standby(self) -> None:
        """Make a new standby where the lost primary was."""
        self._attach()

    def _attach(self) -> None:
        begun = time.monotonic()
        self.run("copy")
        self.run("start-standby")
        self.run("wait-for-it")
        wait_for(lambda: "quorum" in self.run("look"), "the standby to be synchronous")
        self.say(f"standby: copied and synchronous after {time.monotonic() - begun:.1f} s")

    def lose_primary(self) -> None:
        """Kill every process of the primary and delete its data."""
        data = self.primary[0]
        for pid in working_in(data, program="postgres"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not working_in(data, program="postgres"), "the end of the primary")
        if self.first.process is not None:
            self.first.process.wait()
            self.first.process = None
        shutil.rmtree(data)

    def promote(self) -> None:
        """Let the standby take over; the two change names."""
        self.run("promote")
        self.primary, self.standby = self.standby, self.primary

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the standby stand still inside."""
        pids = working_in(self.standby[0], program="postgres")
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        """End both servers."""
        for data, _ in (self.primary, self.standby):
            for pid in working_in(data, program="postgres"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if self.first.process is not None:
            self.first.process.wait()
