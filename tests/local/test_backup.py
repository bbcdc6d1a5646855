"""What a backup shows to others on the machine, and what a failed one leaves behind: nothing."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from giftpad.cli import backup as room

PROGRAM = """#!{python}
import json, os, pathlib, sys
home = pathlib.Path(os.environ["GIFTPAD_HOME"], "home.json")
seen = {{"words": sys.argv[1:], "password": os.environ.get("PGPASSWORD")}}
seen["home"] = json.loads(home.read_text()) if home.exists() else None
pathlib.Path({seen!r}).write_text(json.dumps(seen))
for word in sys.argv[1:]:
    if word.startswith("--file="):
        pathlib.Path(word.removeprefix("--file=")).write_bytes(b"dump")
sys.exit({code})
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GIFTPAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    return tmp_path


@pytest.fixture
def external(folder, monkeypatch):
    """An external database, which a backup asks nothing but its dump."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_RELAY_URL"):
        monkeypatch.setenv(f"GIFTPAD_{name}", "postgresql://127.0.0.1/giftpad")
    kek = folder / "kek"
    kek.write_bytes(b"k" * 32)
    monkeypatch.setenv("GIFTPAD_KEK_FILE", str(kek))
    return folder


def put_program(folder, monkeypatch, *, code=0):
    """Put a program in the place of PostgreSQL's that writes down what it was given."""
    program, seen = folder / "program", folder / "seen.json"
    program.write_text(PROGRAM.format(python=sys.executable, seen=str(seen), code=code))
    program.chmod(0o700)
    monkeypatch.setattr(room, "_program", lambda _: str(program))
    return lambda: json.loads(seen.read_text())


def take(folder, *more):
    words = [str(folder / "backup"), "--keys", str(folder / "key"), *more]
    return CliRunner().invoke(room.backup, words)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://super:s3%20cret@127.0.0.1:5432/giftpad?sslmode=prefer",
        "postgresql://super@127.0.0.1:5432/giftpad?sslmode=prefer&password=s3%20cret",
        "host=127.0.0.1 port=5432 user=super password='s3 cret' dbname=giftpad sslmode=prefer",
    ],
)
def test_no_list_of_processes_shows_the_password(external, monkeypatch, address):
    seen = put_program(external, monkeypatch)
    done = take(external, "--admin-url", address)
    assert done.exit_code == 0, done.output
    assert seen()["password"] == "s3 cret"
    words = " ".join(seen()["words"])
    assert "cret" not in words
    for kept in ("user=super", "dbname=giftpad", "host=127.0.0.1", "sslmode=prefer"):
        assert kept in words


def test_a_password_of_the_environment_is_passed_on(external, monkeypatch):
    seen = put_program(external, monkeypatch)
    monkeypatch.setenv("PGPASSWORD", "from outside")
    assert take(external, "--admin-url", "postgresql://super@127.0.0.1/giftpad").exit_code == 0
    assert seen()["password"] == "from outside"
    assert (external / "key").stat().st_mode & 0o777 == 0o600


def test_the_key_is_not_written_over_or_through_what_is_there(external, monkeypatch):
    put_program(external, monkeypatch)
    (external / "elsewhere").write_text("mine")
    for make in (Path.touch, lambda key: key.symlink_to(external / "elsewhere")):
        make(external / "key")
        done = take(external, "--admin-url", "postgresql://super@127.0.0.1/giftpad")
        assert done.exit_code == 1
        assert "exists already. Name a new file for the key." in done.output
        assert not (external / "backup").exists()
        (external / "key").unlink()
    assert (external / "elsewhere").read_text() == "mine"


def test_a_backup_that_fails_leaves_nothing(external, monkeypatch):
    put_program(external, monkeypatch, code=1)
    done = take(external, "--admin-url", "postgresql://super@127.0.0.1/giftpad")
    assert (done.exit_code, "pg_dump failed" in done.output) == (1, True)
    assert not (external / "backup").exists()
    assert not (external / "key").exists()


def test_a_restore_that_fails_leaves_no_giftpad(folder, monkeypatch):
    seen = put_program(folder, monkeypatch, code=1)
    taken, keys = folder / "backup", folder / "kek"
    taken.mkdir()
    keys.write_bytes(b"k" * 32)
    (taken / room.DUMP).write_bytes(b"no dump")
    digest = hashlib.sha256(b"no dump").hexdigest()
    (taken / room.MANIFEST).write_text(json.dumps({"form": room.FORM, "database_sha256": digest}))
    done = CliRunner().invoke(room.restore, [str(taken), "--keys", str(keys)])
    assert (done.exit_code, "pg_restore failed" in done.output) == (1, True), done.output
    assert seen()["password"] not in " ".join(seen()["words"])
    assert not Path(seen()["home"]["database_folder"]).exists()
    assert [path.name for path in (folder / "home").iterdir()] == ["lock"]
    again = CliRunner().invoke(room.restore, [str(taken), "--keys", str(keys)])
    assert "pg_restore failed" in again.output


def test_a_key_goes_into_a_folder_that_is_made_for_it(external, monkeypatch):
    put_program(external, monkeypatch)
    place = external / "new" / "folder"
    words = ["--admin-url", "postgresql://super@127.0.0.1/giftpad"]
    words = [str(external / "backup"), "--keys", str(place / "x.kek"), *words]
    done = CliRunner().invoke(room.backup, words)
    assert done.exit_code == 0, done.output
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "x.kek").read_bytes() == b"k" * 32
    words[0], words[2] = str(external / "again"), str(external / "kek" / "x.kek")
    done = CliRunner().invoke(room.backup, words)
    assert (done.exit_code, "The key cannot be written" in done.output) == (1, True), done.output
    assert not (external / "again").exists()


def test_another_key_than_was_taken_is_refused_before_anything_is_made(
    external, monkeypatch, tmp_path
):
    put_program(external, monkeypatch)
    assert take(external, "--admin-url", "postgresql://super@127.0.0.1/giftpad").exit_code == 0
    manifest = (external / "backup" / room.MANIFEST).read_text()
    assert (b"k" * 32).hex() not in manifest
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_RELAY_URL"):
        monkeypatch.delenv(f"GIFTPAD_{name}")
    other = tmp_path / "other"
    other.write_bytes(b"o" * 32)
    words = [str(external / "backup"), "--keys", str(other)]
    done = CliRunner().invoke(room.restore, words)
    assert (done.exit_code, "is another key" in done.output) == (1, True), done.output
    assert not (external / "home").exists()
    (external / "home" / "files").mkdir(parents=True)
    words[-1] = str(external / "key")
    done = CliRunner().invoke(room.restore, words)
    assert (done.exit_code, "giftpad reset --yes" in done.output) == (1, True), done.output
