"""The data folder: what lies where, whose it is, and who may use it now.

Hides: file names and rights, the lock, generated passwords, the first key-encryption key.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import pwd
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from giftpad.local.errors import AlreadyRunning, DiskFull, FolderNotUsable
from giftpad.local.processes import ProcessId, identify, wait_until

FREE_MB_MIN = 200
LOG_BYTES_MAX = 10 * 1024 * 1024
LOGS_KEPT = 3
KEK_BYTES = 32
LOOK_PATIENCE_S = 0.3
"""Somebody who only looks whether the lock is held holds it for a moment too."""
PASSWORD_BYTES = 24
SYSTEM_PLACE = Path("/var/lib/giftpad")
"""Where a database lies whose user cannot reach the data folder."""


class Home:
    """One data folder: everything that a Giftpad on this machine keeps."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - keep links as given
        self.logs = self.path / "logs"
        self.files = self.path / "files"
        self.keys = self.path / "keys"
        self.secrets = self.path / "secrets"
        self.redis = self.path / "redis"
        self.sinks = self.path / "sinks"
        self.kek = self.keys / "kek"
        self.lock_file = self.path / "lock"
        self.state_file = self.path / "state.json"
        self.restart_file = self.path / "restart.json"
        self.identity_file = self.path / "home.json"

    @property
    def exists(self) -> bool:
        """Whether a Giftpad has already made this folder its own."""
        return self.identity_file.exists()

    @property
    def id(self) -> str:
        """The random name of this data folder, given at its first use."""
        return str(self.facts()["id"])

    def prepare(self, *, with_kek: bool = True) -> None:
        """Make the folder and what belongs in it; what exists is checked and never loosened.

        Raises: FolderNotUsable, DiskFull.
        """
        self._make_root()
        self.check()
        check_space(self.path)
        door = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(door, fcntl.LOCK_EX)  # two first starts at once
            self._fill(with_kek=with_kek)
        finally:
            os.close(door)

    def _fill(self, *, with_kek: bool) -> None:
        if not self.exists:
            write_private(self.identity_file, json.dumps({"id": secrets.token_hex(8)}))
        for folder in (self.logs, self.files, self.keys, self.secrets, self.redis):
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o700)
        if with_kek and not self.kek.exists():
            write_private(self.kek, secrets.token_bytes(KEK_BYTES))

    def _make_root(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(exist_ok=True)
        except FileExistsError:
            reason = "it is not a folder."
        except OSError as error:
            reason = f"it cannot be made ({error.strerror})."
        else:
            return
        raise self._not_usable(reason)

    def check(self) -> None:
        """Refuse a folder whose rights do not fit; one that does not exist yet is fine.

        Raises: FolderNotUsable.
        """
        if not self.path.exists():
            return
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            message = f"user {_user_name(os.geteuid())} may not write in it."
            raise self._not_usable(message)
        if self.exists and self.identity_file.stat().st_uid != os.geteuid():
            owner = _user_name(self.identity_file.stat().st_uid)
            message = f"it belongs to user {owner}, and this is user {_user_name(os.geteuid())}."
            raise self._not_usable(message, f"Run Giftpad as {owner}, or set GIFTPAD_HOME.")
        for folder in (self.keys, self.secrets):
            if folder.exists() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                message = f"others may look into {folder}, which holds keys."
                raise self._not_usable(message, f"Close it with `chmod 700 {folder}`.")

    def _not_usable(
        self,
        reason: str,
        remedy: str = "Choose another one with GIFTPAD_HOME, or change its owner.",
    ) -> FolderNotUsable:
        return FolderNotUsable(home=str(self.path), reason=reason, remedy=remedy)

    def secret(self, name: str) -> str:
        """Return a generated password; it is made at its first use."""
        path = self.secrets / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(PASSWORD_BYTES))
        return path.read_text(encoding="utf-8")

    def facts(self) -> dict[str, Any]:
        """Return what is remembered about this folder: its id, ports, where the database lies."""
        return dict(json.loads(self.identity_file.read_text(encoding="utf-8")))

    def remember(self, **facts: object) -> None:
        """Keep facts about this folder beyond the present run."""
        write_private(self.identity_file, json.dumps(self.facts() | facts, indent=1))

    def open_log(self, part: str) -> Path:
        """Return the log file of a part; one that has grown large is put aside first."""
        path = self.logs / f"{part}.log"
        if not path.exists():
            write_private(path, "")
        _turn_log(path)
        return path

    def turn_logs(self) -> None:
        """Put aside what every log holds that has grown large, while programs write on."""
        for path in self.logs.glob("*.log"):
            if "." not in path.stem:  # not one that was put aside
                with contextlib.suppress(FileNotFoundError):  # removed by hand just now
                    _turn_log(path)

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Publish what runs now, for ``status`` and for the next start."""
        write_private(self.state_file, json.dumps(state, indent=1))

    def read_state(self) -> dict[str, Any]:
        """Return what ran when the state was last written."""
        try:
            return dict(json.loads(self.state_file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def holder(self) -> ProcessId | None:
        """Return the supervisor that is named in the lock, alive or not."""
        try:
            return ProcessId(**json.loads(self.lock_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def is_locked(self) -> bool:
        """Whether a living process holds the lock."""
        try:
            with self.lock_file.open("rb") as file:
                return not _try_lock(file.fileno(), fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def locked(self) -> Iterator[ProcessId | None]:
        """Hold this folder alone; yields the holder of a lock that was left behind, if any.

        The kernel drops the lock with its process, so a dead holder never keeps it.
        Raises: AlreadyRunning.
        """
        with os.fdopen(os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            left_behind = self.holder()
            if not wait_until(
                lambda: _try_lock(file.fileno(), fcntl.LOCK_EX), timeout_s=LOOK_PATIENCE_S
            ):
                pid = left_behind.pid if left_behind else "unknown"
                raise AlreadyRunning(home=str(self.path), pid=pid)
            own = identify(os.getpid())
            assert own is not None
            words = {"pid": own.pid, "started_ticks": own.started_ticks, "boot_id": own.boot_id}
            file.seek(0)
            file.truncate()
            file.write(json.dumps(words).encode())
            file.flush()
            try:
                yield left_behind
            finally:
                file.seek(0)
                file.truncate()

    def remove_data(self) -> None:
        """Remove database, queue, files, keys and logs; the folder and its lock stay."""
        for folder in (self.redis, self.sinks, self.files, self.keys, self.secrets, self.logs):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.state_file, self.restart_file, self.identity_file):
            file.unlink(missing_ok=True)


def check_space(folder: Path) -> None:
    """Refuse where too little space is free for a database to run safely.

    Raises: DiskFull.
    """
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < FREE_MB_MIN:
        raise DiskFull(folder=str(folder), free_mb=free_mb, needed_mb=FREE_MB_MIN)


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file that only its owner may read, whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(_open_fresh(fresh), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _turn_log(path: Path) -> None:
    """Copy a large log aside and empty it: its writers append, so they go on at its beginning."""
    if path.stat().st_size <= LOG_BYTES_MAX:
        return
    aside = [path.with_suffix(f".{number}.log") for number in range(1, LOGS_KEPT + 1)]
    fresh = path.with_name(path.name + ".new")
    try:
        aside[-1].unlink(missing_ok=True)  # first: the disk may be full
        with path.open("rb") as source, os.fdopen(_open_fresh(fresh), "wb") as target:
            shutil.copyfileobj(source, target)
        for older, oldest in reversed(list(itertools.pairwise(aside))):
            if older.exists():
                older.replace(oldest)
        fresh.replace(aside[0])
    except OSError:  # a log that cannot be kept is given up: it must not fill the disk
        with contextlib.suppress(OSError):
            fresh.unlink()
    os.truncate(path, 0)


def _open_fresh(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
