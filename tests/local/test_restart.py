"""A restart while people work: a fresh program works before the old one ends, or not at all."""

import contextlib
import http.client
import threading

import pytest

from giftpad.local.processes import members_of_session
from tests.local.conftest import wait_for

pytestmark = pytest.mark.slow


def people(machine, stop, seen):
    """Ask again and again on new connections; a connection that is cut is asked again at once."""
    while not stop.is_set():
        try:
            connection = http.client.HTTPConnection("127.0.0.1", machine.port, timeout=10)
            with contextlib.closing(connection):
                connection.request("GET", "/readyz", headers={"Connection": "close"})
                seen.append(int(connection.getresponse().read()))
        except ConnectionRefusedError:
            seen.append(None)
        except (OSError, http.client.HTTPException):
            continue


def test_a_restart_never_leaves_the_door_shut(machine):
    machine.up()
    old = machine.pid_of("web")
    stop, seen = threading.Event(), []
    threads = [threading.Thread(target=people, args=(machine, stop, seen)) for _ in range(3)]
    for thread in threads:
        thread.start()
    done = machine.run("restart", "web")
    wait_for(lambda: not members_of_session(old), "the end of the old web server")
    stop.set()
    for thread in threads:
        thread.join()
    assert (done.returncode, done.stdout) == (0, "Restarted: web.\n")
    assert None not in seen
    assert machine.answers()
    assert set(members_of_session(machine.pid_of("web"))) & set(seen[-3:])
    assert machine.status()["state"] == "up"


@pytest.mark.long
def test_a_fresh_program_that_fails_leaves_the_old_one_at_work(machine):
    assert machine.run("restart").returncode == 16
    machine.variables["TINY_FAILS_NEXT"] = str(machine.home.path / "fails")
    machine.up()
    for name in ("postgres", "kettle"):
        done = machine.run("restart", name)
        assert done.returncode == 25
        assert "web, relay, scheduler, " in done.stderr
    before = {part: machine.pid_of(part) for part in ("web", "relay", "jobs-1")}
    (machine.home.path / "fails").write_text("relay")
    done = machine.run("restart")
    assert done.returncode == 26
    assert "A fresh relay did not come up" in done.stderr
    assert machine.pid_of("web") != before["web"]
    assert machine.pid_of("relay") == before["relay"]
    assert machine.pid_of("jobs-1") == before["jobs-1"]
    (machine.home.path / "fails").unlink()
    assert machine.run("restart", "relay", "jobs").returncode == 0
    assert machine.pid_of("jobs-1") != before["jobs-1"]
