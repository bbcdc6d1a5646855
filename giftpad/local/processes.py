"""Processes of this machine: start one that dies with us, recognise it again, end it.

Hides: ``/proc``, sessions, the parent-death signal.  A process is known by its number and the
moment it began, so a number that was given out again is never taken for the old process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.02
STAT_STATE, STAT_PARENT, STAT_SESSION, STAT_STARTED = 0, 1, 3, 19
"""Places in ``/proc/<pid>/stat``, counted from the word after the program's name."""

TCP_LOCAL, TCP_STATE, TCP_INODE = 1, 3, 9
"""Columns of ``/proc/net/tcp``."""
TCP_LISTEN = "0A"

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the operating system that a program runs as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessId:
    """One process, not to be mistaken for a later one with the same number."""

    pid: int
    started_ticks: int
    boot_id: str

    @property
    def is_alive(self) -> bool:
        """Whether exactly this process still runs; a zombie does not."""
        return identify(self.pid) == self

    @property
    def is_of_this_boot(self) -> bool:
        """Whether the machine has not been started anew since."""
        return self.boot_id == boot_id()


def boot_id() -> str:
    """Return what names the machine's present run."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def identify(pid: int) -> ProcessId | None:
    """Return the identity of a living process, or None."""
    words = _stat_words(pid)
    if words is None or words[STAT_STATE] in "ZX":
        return None
    return ProcessId(pid=pid, started_ticks=int(words[STAT_STARTED]), boot_id=boot_id())


def _stat_words(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _living() -> Iterable[tuple[int, list[str]]]:
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            words = _stat_words(int(entry.name))
            if words is not None and words[STAT_STATE] not in "ZX":
                yield int(entry.name), words


def members_of_session(leader_pid: int) -> list[int]:
    """Return the processes that a part has started, itself included, wherever they hang now."""
    return [pid for pid, words in _living() if int(words[STAT_SESSION]) == leader_pid]


def working_in(folder: Path, *, program: str) -> list[int]:
    """Return the processes of a program whose working directory is ``folder``.

    Servers enter the folder of their data, so this finds the owners of one, and nobody else.
    """
    found = []
    for pid, _ in _living():
        with contextlib.suppress(OSError):
            runs = (PROC / str(pid) / "exe").readlink().name.removesuffix(" (deleted)")
            if runs == program and (PROC / str(pid) / "cwd").readlink() == folder:
                found.append(pid)
    return found


def listening_on(port: int, pids: Iterable[int]) -> set[int]:
    """Return which of these processes listen on a port of IPv4."""
    inodes = set()
    with contextlib.suppress(OSError):
        for line in (PROC / "net/tcp").read_text().splitlines()[1:]:
            words = line.split()
            if words[TCP_STATE] == TCP_LISTEN and int(words[TCP_LOCAL].split(":")[1], 16) == port:
                inodes.add(f"socket:[{words[TCP_INODE]}]")
    return {pid for pid in pids if not inodes.isdisjoint(_open_files(pid))}


def _open_files(pid: int) -> Iterable[str]:
    with contextlib.suppress(OSError):
        for entry in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                yield str(entry.readlink())


def adopt_orphans() -> None:
    """Let what our children leave behind become our own children, so that it can be found."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _in_child(death_signal: int) -> Callable[[], None]:
    parent_pid = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent_pid:  # it died before the line above
                os._exit(1)

    return prepare


def spawn(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    errors: IO[bytes] | int = subprocess.STDOUT,
    death_signal: int = signal.SIGTERM,
    account: Account | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; when we die it gets ``death_signal``.

    To be called from the main thread: the kernel sends that signal when the *thread* ends.
    """
    return subprocess.Popen(  # noqa: S603 - the command is ours
        [str(word) for word in command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        cwd=cwd,
        pass_fds=pass_fds,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        preexec_fn=_in_child(death_signal),  # noqa: PLW1509 - no other thread runs here
    )


def send(pids: Iterable[int], signal_number: int) -> None:
    """Send one signal to processes; those that are gone do not matter."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal_number)


def wait_until(is_true: Callable[[], bool], *, timeout_s: float, poll_s: float = POLL_S) -> bool:
    """Wait until something is true; tell whether it became so in time."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_s)
    return True


def end(find: Callable[[], Sequence[int]], signals: Sequence[tuple[int, float]]) -> bool:
    """End what ``find`` finds: each signal in turn, with its seconds of patience.

    Tells whether nothing is left.
    """
    for signal_number, patience_s in signals:
        send(find(), signal_number)
        if wait_until(lambda: not find(), timeout_s=patience_s):
            return True
    return not find()


def reap_adopted(known: Collection[int]) -> None:
    """Take the exit codes of children that nobody waits for, so that no zombie stays."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in known:
            return
        os.waitpid(ended.si_pid, 0)


def last_lines(path: Path, count: int = 12, *, bytes_max: int = 16_384) -> str:
    """Return the last lines of a log, for a person to read."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - bytes_max))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])
