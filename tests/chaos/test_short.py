"""A short chaos: every part killed once, some other faults, one failover by the operating page."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.faults import KILLS
from tests.chaos.proxy import WHOLE, Hurt, Proxy
from tests.chaos.standby import read_blocks
from tests.chaos.story import (
    EACH_MIN,
    KILLS_MIN,
    KINDS,
    PAYMENTS_MIN,
    Plan,
    shortcomings,
)

ROOT = Path(__file__).resolve().parents[2]
SEED = 20261121
TIMEOUT_S = 900


@pytest.mark.long
def test_nothing_is_lost_in_a_short_chaos(tmp_path):
    words = ["--minutes", "3", "--seed", str(SEED), "--to", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["lost"], summary["doubled"], summary["drift_minor"]) == (0, 0, 0)
    assert {"kill: postgres", "kill: web", "failover: primary lost with its data"} <= set(
        summary["by_kind"]
    )
    log = (tmp_path / "acknowledged.log").read_text().splitlines()
    assert len(log) == sum(summary["acknowledged"].values())


def summary_of_a_full_run():
    by_kind = {f"kill: {target}": {"count": EACH_MIN, "notes": []} for target in KILLS}
    by_kind |= {f"{kind}: one": {"count": 1, "notes": [{"hurts": 3}]} for kind in KINDS[1:]}
    return {
        "kills": KILLS_MIN,
        "acknowledged": {"pay": PAYMENTS_MIN},
        "checks": 9,
        "replayed": 9,
        "by_kind": by_kind,
    }


def test_a_full_run_owes_each_target_each_kind_and_traffic_to_be_hurt():
    plan = Plan(minutes=20, seed=1, rate=1)
    summary = summary_of_a_full_run()
    assert shortcomings(summary, plan) == []
    del summary["by_kind"]["kill: watch"], summary["by_kind"]["disk: one"]
    summary["by_kind"]["client: one"]["notes"] = [{"hurts": 0}]
    summary |= {"replayed": 8, "kills": 1}
    summary["acknowledged"]["pay"] = 5
    assert len(shortcomings(summary, plan)) == 6
    assert shortcomings(summary, replace(plan, minutes=3)) == []


def test_every_command_of_the_failover_page_has_its_place_in_the_drill():
    assert set(read_blocks()) == {
        *("role", "copy", "start-standby", "wait-for-it", "look", "promote")
    }


@pytest.fixture
def echo():
    """A server that answers every line with the same line, behind a proxy."""

    class Echo(socketserver.StreamRequestHandler):
        def handle(self):
            with contextlib.suppress(OSError):  # the proxy cuts
                for line in self.rfile:
                    self.wfile.write(line)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        proxy = Proxy(server.server_address[1])
        yield proxy
        proxy.close()
        server.shutdown()
        thread.join()


def ask(proxy, text):
    """Say something through the proxy; what comes back, or None where the connection is cut."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=1) as connection:
        connection.sendall(text)
        try:
            return connection.makefile("rb").readline()
        except TimeoutError:
            return "nothing"
        except ConnectionResetError:
            return "reset"


def test_the_proxy_passes_what_it_is_not_told_to_hurt(echo):
    assert ask(echo, b"hello\n") == b"hello\n"


@pytest.mark.parametrize(
    ("hurt", "seen"),
    [
        (Hurt(delay_s=0.05), b"hello\n"),
        (Hurt(slow_bytes=2), b"hello\n"),
        (Hurt(cut_after=0), "reset"),
        (Hurt(way="asks", cut_after=3), "reset"),
        (Hurt(swallows=True), "nothing"),
    ],
)
def test_the_proxy_hurts_as_it_is_told(echo, hurt, seen):
    echo.hurt(hurt)
    assert ask(echo, b"hello\n") == seen
    assert echo.hurts == 1
    echo.hurt(WHOLE)
    assert ask(echo, b"again\n") == b"again\n"
