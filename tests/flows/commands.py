"""The command line in processes that are forked from one in which all of it is loaded already.

A command of the tests costs what it does, and not two seconds of loading each time.  It has a
process, an environment and an end of its own, as if a person had started it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADED_WITHIN_S = 120
KILLED = -signal.SIGKILL


class CommandLine:
    """A loaded process that runs each command in a child of its own."""

    def __init__(self) -> None:
        self._room = tempfile.TemporaryDirectory(prefix="giftpad-commands-")
        self._address = f"{self._room.name}/socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(self._address)
            server.listen(64)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.flows.commands", str(server.fileno())],
                cwd=ROOT,
                env={k: v for k, v in os.environ.items() if not k.startswith("GIFTPAD_")},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for whoever started it; it ends with that
                pass_fds=[server.fileno()],
            )
        atexit.register(self.close)

    def close(self) -> None:
        """End the process; commands that still run go on to their own end."""
        self._process.kill()
        self._process.wait()
        self._room.cleanup()

    def run(
        self, words: list[str], environment: dict[str, str], *, timeout_s: int
    ) -> subprocess.CompletedProcess[str]:
        """Run one command and return what it printed, as ``subprocess.run`` does.

        Raises: subprocess.TimeoutExpired.
        """
        with (
            tempfile.TemporaryFile("w+", dir=self._room.name) as out,
            tempfile.TemporaryFile("w+", dir=self._room.name) as err,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line,
        ):
            line.settimeout(timeout_s + LOADED_WITHIN_S)
            line.connect(self._address)
            asked = json.dumps([words, environment, timeout_s]).encode() + b"\n"
            socket.send_fds(line, [b"!"], [out.fileno(), err.fileno()])
            line.sendall(asked)
            with line.makefile() as answer:
                code = int(answer.readline())
            printed = [_read(each) for each in (out, err)]
        if code == KILLED:
            raise subprocess.TimeoutExpired(words, timeout_s, *printed)
        return subprocess.CompletedProcess(words, code, *printed)


def _read(file) -> str:
    file.seek(0)
    return file.read()


@functools.cache
def command_line() -> CommandLine:
    """Return the command line of this test process; it is loaded when first asked for."""
    return CommandLine()


def serve(server: socket.socket, parent: int) -> None:
    """Run commands until the process that asks for them is gone."""
    from giftpad import cli

    importlib.import_module("giftpad.wiring")
    for target in cli.COMMANDS.values():
        importlib.import_module(target.partition(":")[0])
    gone = os.pidfd_open(parent)
    while gone not in select.select([server, gone], [], [])[0]:
        line, _ = server.accept()
        if os.fork() == 0:
            server.close()
            os.close(gone)
            watch(line)
            os._exit(0)
        line.close()
        _reap()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def watch(line: socket.socket) -> None:
    """Run one command in a child, and say how it ended."""
    _, (out, err), _, _ = socket.recv_fds(line, 1, 2)
    with line.makefile("r") as asking:
        words, environment, timeout_s = json.loads(asking.readline())
    child = os.fork()
    if child == 0:
        line.close()
        become(words, environment, out, err)
    handle = os.pidfd_open(child)
    if not select.select([handle], [], [], timeout_s)[0]:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def become(words: list[str], environment: dict[str, str], out: int, err: int) -> None:
    """Be the command: its words, its environment, its two streams."""
    from giftpad.cli import main

    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["giftpad", *words]
    main()
    sys.exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), os.getppid())
