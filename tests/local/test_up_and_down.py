"""A whole Giftpad comes up, tells about itself, and ends with nothing left behind."""

import json
import signal
import socket
import stat
from contextlib import closing
from http.client import HTTPConnection

import psycopg
import pytest
import redis
from alembic import command

from giftpad.kernel.migrate import configuration
from tests.local.conftest import wait_for

pytestmark = pytest.mark.slow


def is_gone(processes):
    return not any(each.is_alive for each in processes)


def test_up_serves_and_down_leaves_nothing(machine):
    shown = machine.up("prepare").stdout
    assert machine.answers()
    assert "prepared home" in shown
    assert f"Giftpad is up at http://localhost:{machine.port}" in shown
    now = machine.status()
    assert now["state"] == "up"
    assert [each["name"] for each in now["parts"]] == [
        *("postgres", "redis", "web", "relay", "scheduler", "watch", "jobs-codes", "jobs-1")
    ]
    processes = machine.processes()
    assert machine.run("down").returncode == 0
    assert is_gone(processes)
    assert machine.status()["state"] == "stopped"
    assert machine.run("down").returncode == 16


def test_a_second_up_says_so_and_leaves_the_first_alone(machine):
    machine.up()
    for words in (("up",), ("up", "--detach")):
        again = machine.run(*words)
        assert again.returncode == 11
        assert "already running" in again.stderr
    assert machine.status()["state"] == "up"


def test_ctrl_c_ends_everything(machine):
    front = machine.up_in_front()
    wait_for(lambda: machine.status()["state"] == "up", "the start")
    processes = machine.processes()
    front.send_signal(signal.SIGINT)
    shown, _ = front.communicate(timeout=60)
    assert front.returncode == 0, shown
    assert "Giftpad has stopped." in shown
    assert is_gone(processes)


def test_a_broken_step_is_told_with_its_log_and_nothing_is_left(machine):
    failed = machine.run("up", "--detach", "prepare", "fail")
    assert failed.returncode == 15
    assert "prepared home" in failed.stdout
    assert "The step 'fail' did not come up: it ended with code 1." in failed.stderr
    assert "the pack is broken" in failed.stderr
    assert not machine.home.is_locked
    assert machine.status()["state"] == "stopped"


def test_a_step_without_its_key_says_so_without_a_trace(machine):
    failed = machine.run("up", "--detach", "lock_out")
    assert failed.returncode == 15
    assert failed.stderr.splitlines()[-1] == "the key opens nothing here"
    assert "Traceback" not in failed.stderr


def test_a_taken_port_is_told_before_anything_starts(machine):
    with socket.socket() as other:
        other.bind(("127.0.0.1", machine.port))
        other.listen()
        refused = machine.run("up", "--detach")
    assert refused.returncode == 12
    assert str(machine.port) in refused.stderr
    assert not machine.home.path.exists()


@pytest.mark.long
def test_two_stand_side_by_side(make_machine):
    first, second = make_machine("one"), make_machine("two")
    first.up()
    second.up()
    addresses = [json.loads(each.run("settings").stdout) for each in (first, second)]
    assert addresses[0][0] != addresses[1][0]
    assert addresses[0][1] != addresses[1][1]
    first.run("down")
    assert second.status()["state"] == "up"
    third = make_machine("three", port=second.port).run("up", "--detach")
    assert third.returncode == 12


def test_the_servers_let_nobody_in_without_a_password(machine):
    machine.up()
    database_url, redis_url = json.loads(machine.run("settings").stdout)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("giftpad_app",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    user_and_password = database_url.partition("//")[2].partition("@")[0]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database_url.replace(user_and_password, "postgres")).close()
    open_url = "redis://" + redis_url.partition("@")[2]
    with redis.Redis.from_url(open_url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_what_is_secret_lies_closed(machine):
    machine.up()
    for path in (machine.home.keys, machine.home.secrets, machine.home.logs, machine.home.files):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for path in (machine.home.kek, *machine.home.secrets.iterdir(), machine.home.identity_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert machine.home.kek.stat().st_size == 32


def test_reset_asks_first_then_removes_all(machine):
    machine.up()
    kek = machine.home.kek.read_bytes()
    assert machine.run("reset").returncode == 20
    assert machine.status()["state"] == "up"
    assert machine.run("reset", "--yes").returncode == 0
    assert [each.name for each in machine.home.path.iterdir()] == ["lock"]
    machine.up()
    assert machine.home.kek.read_bytes() != kek


def test_external_servers_are_used_and_none_is_embedded(machine, fresh_settings):
    machine.use(fresh_settings)
    assert machine.run("up", "--detach").returncode == 21
    machine.variables["GIFTPAD_KEK_FILE"] = fresh_settings.kek_file
    machine.up()
    now = machine.status()
    assert (now["database"], now["redis"]) == ("external", "external")
    named = {each["name"] for each in now["parts"]}
    assert named == {"web", "relay", "scheduler", "watch", "jobs-codes", "jobs-1"}
    assert not (machine.home.path / "postgres").exists()
    assert not machine.home.kek.exists()
    assert machine.run("reset", "--yes").returncode == 18


@pytest.mark.long
def test_the_whole_giftpad_comes_up_on_external_servers(machine, fresh_settings):
    command.downgrade(configuration(fresh_settings.database_owner_url), "base")
    machine.program = "giftpad.cli"
    machine.use(fresh_settings)
    machine.variables["GIFTPAD_KEK_FILE"] = fresh_settings.kek_file
    shown = machine.up().stdout
    assert "midori-city: opened" in shown
    with closing(HTTPConnection("127.0.0.1", machine.port, timeout=5)) as connection:
        connection.request("GET", "/readyz")
        assert json.loads(connection.getresponse().read()) == {
            "status": "ready",
            "database": "ready",
            "redis": "ready",
        }
    assert "midori-city" in machine.run("tenant", "list").stdout
    assert "Demonstration people" not in shown  # these are for an own database only
    processes = machine.processes()
    assert machine.run("down").returncode == 0
    assert is_gone(processes)
    with psycopg.connect(fresh_settings.database_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("giftpad_app",)
    with redis.Redis.from_url(fresh_settings.redis_url) as client:
        assert client.ping()
