"""What is killed comes back, and what was committed is still there."""

import os
import signal
import subprocess

import psycopg
import pytest

from giftpad.local.home import LOG_BYTES_MAX
from giftpad.local.processes import members_of_session, working_in
from tests.local.conftest import wait_for

pytestmark = pytest.mark.slow


def remember(machine, word):
    with psycopg.connect(machine.postgres.urls.superuser, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (word,))


def recall(machine):
    with psycopg.connect(machine.postgres.urls.superuser) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM kept ORDER BY word")]


def test_a_killed_part_is_started_again_and_reported(machine):
    machine.up()
    remember(machine, "before")
    for part in ("postgres", "redis", "web", "relay", "jobs-1"):
        session = members_of_session(machine.pid_of(part))
        os.kill(machine.pid_of(part), signal.SIGKILL)
        machine.wait_until_up(restarted=[part])
        assert machine.answers()
        assert recall(machine) == ["before"]
        assert not set(members_of_session(machine.pid_of(part))) & set(session)
        log = (machine.home.logs / "supervisor.log").read_text()
        assert f"{part}: it was killed by signal 9." in log


def test_a_log_that_grows_large_is_put_aside_while_its_part_runs(machine):
    machine.up()
    web = machine.pid_of("web")
    log = machine.home.logs / "web.log"
    os.truncate(log, LOG_BYTES_MAX + 1)
    wait_for(lambda: log.stat().st_size <= LOG_BYTES_MAX, "the log to be emptied")
    assert log.with_suffix(".1.log").stat().st_size > LOG_BYTES_MAX
    assert machine.pid_of("web") == web


def test_up_recovers_after_everything_was_killed(machine):
    machine.up()
    remember(machine, "before")
    machine.kill_everything()
    assert machine.status()["state"] == "cut off"
    assert "was cut off" in machine.up().stdout
    assert machine.status()["state"] == "up"
    assert recall(machine) == ["before"]


def test_parts_end_by_themselves_when_only_the_supervisor_is_killed(machine):
    machine.up()
    remember(machine, "before")
    supervisor, *parts = machine.processes()
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not any(each.is_alive for each in parts), "the end of the parts")
    machine.up()
    assert recall(machine) == ["before"]


@pytest.mark.long
def test_down_ends_what_hangs_after_its_supervisor_was_killed(machine):
    machine.up()
    supervisor, *parts = machine.processes()
    relay = next(part for part in parts if part.pid == machine.pid_of("relay"))
    os.kill(relay.pid, signal.SIGSTOP)  # it cannot act on the signal that it gets now
    os.kill(supervisor.pid, signal.SIGKILL)
    wait_for(lambda: [part for part in parts if part.is_alive] == [relay], "the end of the others")
    assert machine.run("down").returncode == 0
    assert not relay.is_alive


@pytest.fixture
def stranger(machine):
    """A process of the database's own user that has nothing to do with us."""
    machine.up()
    owner = machine.postgres.data.stat()
    other = owner.st_uid if owner.st_uid != os.geteuid() else None
    process = subprocess.Popen(["/bin/sleep", "600"], user=other, cwd=machine.home.redis)
    yield process
    process.kill()
    process.wait()


def test_a_lock_file_that_names_a_living_stranger_does_not_stop_the_database(machine, stranger):
    machine.kill_everything()
    lock = machine.postgres.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    machine.up()
    assert machine.status()["state"] == "up"
    assert stranger.poll() is None


def test_a_person_in_the_data_folder_is_left_alone(machine, stranger):
    machine.kill_everything()
    machine.up()
    assert stranger.poll() is None
    assert stranger.pid not in working_in(machine.home.redis, program="redis-server")


def test_a_worker_that_will_not_start_is_tried_again_and_again_and_told(machine):
    machine.variables["TINY_FAILS"] = "relay"
    machine.up()

    def relay():
        return next(part for part in machine.status()["parts"] if part["name"] == "relay")

    wait_for(lambda: relay()["restarts"] >= 2, "a second try")
    assert machine.answers()
    told = (machine.home.logs / "supervisor.log").read_text()
    assert "relay: it ended with code 3. It is started again" in told
    assert "no relay today" in (machine.home.logs / "relay.log").read_text()


def test_a_web_server_that_will_not_start_is_told_with_its_log(machine):
    machine.variables["TINY_FAILS"] = "web"
    failed = machine.run("up", "--detach")
    assert failed.returncode == 15
    assert "web did not come up: it" in failed.stderr
    assert "no web today" in failed.stderr
    assert machine.status()["state"] == "stopped"
