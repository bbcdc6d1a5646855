"""The tools that measure: what they count, and that they know nothing of the product."""

from __future__ import annotations

import ast
import itertools
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bench import load, machine
from bench.__main__ import ROWS, _arguments
from bench.rows import Row, as_json, keep, quantile, table

ROOT = Path(__file__).resolve().parents[2]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def row(name, **changes):
    values = {
        "name": name,
        "work": "payment",
        "value": 4000.0,
        "unit": "/s",
        "reference": 8000.0,
        "reference_what": "TPC-B",
        "ratio": 0.5,
        "p50_ms": 2.0,
        "p99_ms": 8.0,
        "cpu_us": 400.0,
        "memory_mb": None,
        "gate": "≥ 0.40 x",
        "gate_met": True,
        "stretch": "≥ 0.70 x",
        "stretch_met": False,
        "notes": ("all found",),
    }
    return Row(**(values | changes))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_bench_imports_nothing_of_what_it_measures():
    files = sorted((ROOT / "bench").rglob("*.py"))
    assert len(files) >= 8
    rooms = {(path.name, name.split(".")[0]) for path in files for name in imported(path)}
    assert not {pair for pair in rooms if pair[1] in {"giftpad", "worker", "tests"}}


def test_the_table_says_what_was_met_and_what_not():
    shown = table([row("B1"), row("B2", gate_met=False)])
    assert "met: ≥ 0.40 x" in shown
    assert "MISSED: ≥ 0.40 x" in shown
    assert "not yet: ≥ 0.70 x" in shown
    assert shown.endswith("B2: all found")
    assert len({len(line) for line in shown.splitlines()[:4]}) == 1


def test_figures_of_other_runs_stay_in_the_file(tmp_path):
    path = tmp_path / "results" / "latest.json"
    keep(path, [row("B1"), row("B2", p99_ms=float("nan"))], machine={"cores": 2})
    keep(path, [row("B1", ratio=0.6)], machine={"cores": 4})
    kept = json.loads(path.read_text())
    assert (kept["B1"]["ratio"], kept["B1"]["gate_met"], kept["B1"]["p99_ms"]) == (0.6, True, 8.0)
    assert (kept["B2"]["ratio"], kept["B2"]["p99_ms"]) == (0.5, None)
    assert kept["B1"]["machine"] == {"cores": 4}
    assert kept["B2"]["machine"] == {"cores": 2}
    assert set(kept["B1"]) == set(as_json(row("B1"))) | {"machine"}


def test_rows_are_named_in_either_case_and_a_wrong_one_is_told_which_there_are(capsys):
    assert _arguments(["b1", "T1", "--short"]).names == ["B1", "T1"]
    assert _arguments([]).names == []
    with pytest.raises(SystemExit):
        _arguments(["B9"])
    told = capsys.readouterr().err
    assert f"B9 is no row; there are {' '.join(ROWS)}" in told
    assert "[ROW ...]" in told


INTERRUPTED = """
import time
from bench import ending
def end():
    print("ends", flush=True)
    time.sleep(0.2)
    print("ended", flush=True)
with ending.plainly("done; nothing was kept"):
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        ending.through(end)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_answered_at_once_and_what_ends_is_not_broken_off(number):
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.stdout.readline() == "ends\n"
        process.send_signal(number)
        said, told = process.communicate(timeout=30)
    assert said == "ended\n"
    assert told.split("\n") == [
        *("", "interrupted; stopping what was started ...", "done; nothing was kept", "")
    ]
    assert process.returncode == 130


BROKEN_OFF_AT_ITS_END = """
import os, signal
from bench import ending
def end():
    print("ends", flush=True)
    if not ending.told.is_set():
        os.kill(os.getpid(), signal.SIGINT)
    print("ended", flush=True)
with ending.plainly("done"):
    ending.through(end)
"""


def test_an_interruption_at_the_end_does_not_leave_half_of_it():
    done = subprocess.run(
        [sys.executable, "-c", BROKEN_OFF_AT_ITS_END],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.returncode) == (["ends", "ends", "ended"], 130)


@pytest.mark.parametrize(("share", "ms"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_quantile_is_a_latency_that_was_measured(share, ms):
    assert quantile([number / 1000 for number in range(1, 101)], share) == pytest.approx(ms)


@contextmanager
def server(answer, *, hangs_up=False):
    """Answer each request on each connection by ``answer(number)``; None hangs up at once."""
    numbers = itertools.count(1)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection, suppress(OSError):  # the generator may be gone first
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # two writes each
            while connection.recv(4096):
                said = answer(next(numbers))
                if said is None:
                    return
                connection.sendall(said[:20])
                connection.sendall(said[20:])
                if hangs_up:
                    return

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_a_closed_loop_waits_for_every_answer_and_counts_it_once():
    asked, kept = [], []
    with server(lambda number: asked.append(number) or ANSWER) as port:
        done = load.run_closed(
            port, itertools.repeat(REQUEST), seconds=0.3, connections=3, keep=kept.append
        )
    assert done.by_status() == {200: len(asked)}
    assert kept == [ANSWER] * len(asked)
    assert len(asked) > 3
    assert done.rate(200) == pytest.approx(len(asked) / done.seconds)


def test_what_was_hung_up_on_is_counted_as_broken_and_no_answer_as_good():
    with server(lambda number: None if number % 5 == 0 else ANSWER) as port:
        done = load.run_closed(port, itertools.repeat(REQUEST), seconds=0.3, connections=2)
    assert set(done.by_status()) == {200, load.BROKEN}
    assert done.count(load.BROKEN) == pytest.approx(done.count() / 5, abs=2)


def test_a_slow_answer_is_waited_for_while_others_are_hung_up_on_after_theirs():
    slow = threading.Event()

    def answer(number):
        if number == 1:
            slow.wait(0.5)
        return ANSWER

    with server(answer, hangs_up=True) as port:
        done = load.run_closed(port, itertools.repeat(REQUEST), seconds=0.05, connections=4)
    assert max(done.latencies[200]) >= 0.5
    assert done.count() == done.count(200, load.BROKEN)


def test_refusals_are_told_apart_from_answers():
    refusal = ANSWER.replace(b"200 OK", b"503 No")
    kept = []
    with server(lambda number: refusal if number % 2 else ANSWER) as port:
        done = load.run_closed(
            port, itertools.repeat(REQUEST), seconds=0.2, connections=1, keep=kept.append
        )
    assert set(done.by_status()) == {200, 503}
    assert len(kept) == done.count(200)


def test_an_open_loop_counts_from_the_instant_a_request_was_due():
    def stall_once(number):
        if number == 20:
            time.sleep(0.3)
        return ANSWER

    with server(stall_once) as port:
        done = load.run_open(port, itertools.repeat(REQUEST), rate=200, seconds=0.6, connections=1)
    assert done.count() == 120
    # One answer was late; those that were due meanwhile were late too, though sent after it.
    late = [latency for latency in done.latencies[200] if latency > 0.1]
    assert len(late) >= 20


def test_an_open_loop_gives_up_what_found_no_connection_in_time():
    def stall(_):
        time.sleep(0.4)
        return ANSWER

    with server(stall) as port:
        done = load.run_open(
            port,
            itertools.repeat(REQUEST),
            rate=50,
            seconds=0.4,
            connections=1,
            patience_s=0.1,
        )
    assert done.count() == 20
    assert done.count(load.UNSENT) >= 15


BURNING = """
import subprocess, sys
for line in sys.stdin:
    subprocess.run([sys.executable, "-c", "for _ in range(5_000_000): pass"], check=True)
    print("done", flush=True)
"""


def test_the_cpu_of_children_counts_too_after_they_ended():
    # A family of its own: this process's other children, servers of the tests before, may end
    # without being awaited, and what they used would then go from the sum.
    with subprocess.Popen(
        [sys.executable, "-c", BURNING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        print(file=parent.stdin, flush=True)
        parent.stdout.readline()  # it is up; what its start cost is behind it
        meter = machine.Meter(parent.pid)
        print(file=parent.stdin, flush=True)
        assert parent.stdout.readline() == "done\n"
        meter.read()
        parent.stdin.close()
    assert meter.cpu_s >= 0.05
    assert meter.memory_mb > 5
