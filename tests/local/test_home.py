"""The data folder: whose it is, what may not be, and where the database goes instead."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from giftpad.cli.local import reset
from giftpad.kernel.config import Settings
from giftpad.local import EmbeddedPostgres, Home, LocalError, embedded_settings
from giftpad.local import home as home_room
from giftpad.local.processes import identify

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to give")


def refusal(home):
    with pytest.raises(LocalError) as refused:
        home.prepare()
    return refused.value


def test_a_file_is_no_data_folder(tmp_path):
    (tmp_path / "file").write_text("")
    refused = refusal(Home(tmp_path / "file"))
    assert refused.exit_code == 14
    assert "it is not a folder" in refused.message


def test_keys_that_others_may_read_are_refused_with_the_remedy(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    home.keys.chmod(0o755)
    assert f"chmod 700 {home.keys}" in refusal(home).message
    home.keys.chmod(0o700)
    home.prepare()


def test_a_folder_that_belongs_to_another_user_is_refused_by_name(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(home.identity_file, 65534, 65534)
    assert "belongs to user nobody" in refusal(home).message


def test_too_little_space_is_told_in_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(home_room, "FREE_MB_MIN", 10**9)
    refused = refusal(Home(tmp_path / "home"))
    assert refused.exit_code == 13
    assert "1000000000 MB are needed" in refused.message


def test_a_secret_is_made_once_and_kept(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    first = home.secret("one")
    assert Home(tmp_path / "home").secret("one") == first
    assert home.secret("two") != first
    assert len(first) >= 32


def test_a_large_log_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(home_room, "LOG_BYTES_MAX", 10)
    home = Home(tmp_path / "home")
    home.prepare()
    for text in ("first first", "second second", "third third", "fourth fourth", "fifth fifth"):
        home.open_log("web").write_text(text)
    kept = {path.name: path.read_text() for path in home.logs.iterdir()}
    assert kept == {
        "web.log": "fifth fifth",
        "web.1.log": "fourth fourth",
        "web.2.log": "third third",
        "web.3.log": "second second",
    }


def test_a_log_that_is_written_to_is_put_aside_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(home_room, "LOG_BYTES_MAX", 10)
    home = Home(tmp_path / "home")
    home.prepare()
    with home.open_log("web").open("ab", buffering=0) as log:
        for text in (b"first first", b"second second", b"third third", b"fourth fourth", b"fifth"):
            log.write(text)
            home.turn_logs()
    kept = {path.name: path.read_text() for path in home.logs.iterdir()}
    assert kept == {
        "web.log": "fifth",
        "web.1.log": "fourth fourth",
        "web.2.log": "third third",
        "web.3.log": "second second",
    }
    assert {path.stat().st_mode & 0o777 for path in home.logs.iterdir()} == {0o600}


def test_a_log_that_cannot_be_put_aside_is_emptied(tmp_path, monkeypatch):
    monkeypatch.setattr(home_room, "LOG_BYTES_MAX", 10)
    home = Home(tmp_path / "home")
    home.prepare()
    home.open_log("web").write_text("first first")
    (home.logs / "web.log.new").mkdir()
    home.turn_logs()
    assert (home.logs / "web.log").read_text() == ""


def test_a_lock_names_its_holder_and_is_dropped(tmp_path):
    home = Home(tmp_path / "home")
    home.prepare()
    with home.locked() as left_behind:
        assert left_behind is None
        assert home.is_locked
        assert home.holder() == identify(os.getpid())
        with pytest.raises(LocalError) as refused, Home(tmp_path / "home").locked():
            pass
        assert refused.value.exit_code == 11
    assert not home.is_locked
    assert home.holder() is None


def test_no_settings_lead_to_a_giftpad_that_is_not_running(tmp_path):
    with pytest.raises(LocalError) as refused:
        embedded_settings(Settings(home=tmp_path / "home"))
    assert refused.value.exit_code == 16
    assert not (tmp_path / "home").exists()


@needs_root
def test_a_database_that_cannot_lie_in_the_folder_lies_where_its_user_can_reach(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = Home(closed / "home")
    home.prepare()
    postgres = EmbeddedPostgres(home, durable=False)
    try:
        postgres.start()
        assert postgres.data == Path("/var/lib/giftpad") / home.id / "data"
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        postgres.stop()
        postgres.remove_data()
    assert not postgres.place.exists()


def test_reset_leaves_no_sign_in_of_the_demonstration(tmp_path, monkeypatch):
    monkeypatch.setenv("GIFTPAD_HOME", str(tmp_path / "home"))
    home = Home(tmp_path / "home")
    home.prepare()
    (home.path / "demo.json").write_text("{}")
    assert CliRunner().invoke(reset, ["--yes"]).exit_code == 0
    assert [path.name for path in home.path.iterdir()] == ["lock"]
