"""Counting what a process does: cheap, complete, and never a request's business."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from giftpad.kernel import metrics
from giftpad.kernel.metrics import BOUNDS_S, Counted, Times

COUNTING = """
import sys, threading
from pathlib import Path
from giftpad.kernel import metrics
metrics.WRITE_EVERY_S = 0.05
metrics.publish(Path(sys.argv[1]))
for _ in range(1000):
    metrics.note_request("/api/v1/payments", "POST", 201, 0.004, tenant="midori-city")
metrics.note_request("", "\u2620", 404, 99.0)
metrics.note_payment("captured")
if sys.argv[2] == "wait":
    print("counted", flush=True)
    sys.stdin.read()
"""


def test_nothing_is_lost_when_threads_count_at_once(monkeypatch):
    monkeypatch.setattr(metrics, "_payments", Counted().counters["x"])

    def work():
        for _ in range(5_000):
            metrics.note_payment("captured")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics._payments["captured",] == 20_000


def test_a_method_that_somebody_made_up_makes_no_series_of_its_own(monkeypatch):
    counted = Counted()
    monkeypatch.setattr(metrics, "_requests", counted.counters["requests"])
    for method in ("GET", "BREW", "PROPFIND", "x" * 8000):
        metrics.note_request("", method, 404, 0.001)
    assert set(counted.counters["requests"]) == {("GET", "", "404"), ("OTHER", "", "404")}


@pytest.mark.parametrize(
    ("counts", "share", "wanted"),
    [
        ([100, *[0] * 11], 0.95, BOUNDS_S[0]),
        ([90, 0, 10, *[0] * 9], 0.95, BOUNDS_S[2]),
        ([95, 5, *[0] * 10], 0.95, BOUNDS_S[0]),
        ([*[0] * 11, 3], 0.95, BOUNDS_S[-1]),
        ([0] * 12, 0.95, None),
    ],
)
def test_a_quantile_is_the_upper_edge_of_its_class(counts, share, wanted):
    assert Times(counts=counts).at_most_s(share) == wanted


def start(folder, then):
    return subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(folder), then],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_counts_of_several_processes_add_up_and_outlive_them(tmp_path):
    folder = tmp_path / "metrics"
    running = [start(folder, "end") for _ in range(2)]
    for each in running:
        each.communicate(timeout=60)
        assert each.returncode == 0
    total = metrics.read_all(folder)
    requests = total.counters["giftpad_http_requests_total"]
    assert requests == {("POST", "/api/v1/payments", "201"): 2000, ("OTHER", "", "404"): 2}
    assert total.times["giftpad_http_request_seconds"]["",].counts[-1] == 2
    assert total.times["giftpad_tenant_request_seconds"]["midori-city",].count == 2000
    assert total.counters["giftpad_payments_total"] == {("captured",): 2}
    metrics.clear(folder)
    assert metrics.read_all(folder) == Counted()


def test_a_process_that_is_killed_has_written_what_it_counted(tmp_path):
    running = start(tmp_path, "wait")
    assert running.stdout.readline() == "counted\n"
    stop = threading.Event()
    deadline = threading.Timer(30, stop.set)
    deadline.start()
    try:
        while not metrics.read_all(tmp_path).counters["giftpad_payments_total"]:
            assert not stop.wait(0.02), "nothing was written"
    finally:
        deadline.cancel()
        running.kill()
        running.communicate()
    assert metrics.read_all(tmp_path).counters["giftpad_payments_total"] == {("captured",): 1}


def test_a_folder_that_cannot_be_written_costs_the_figures_and_nothing_else(tmp_path):
    folder = tmp_path / "metrics"
    folder.write_text("a file, where a folder should be")
    running = start(folder, "end")
    running.communicate(timeout=60)
    assert running.returncode == 0


def test_a_file_that_is_cut_off_is_left_out(tmp_path):
    whole = metrics._pack(Counted())
    (tmp_path / "a.json").write_bytes(whole[:-5])
    (tmp_path / "b.json").write_bytes(b"")
    good = Counted()
    good.counters["giftpad_payments_total"]["captured",] = 3
    (tmp_path / "c.json").write_bytes(metrics._pack(good))
    assert metrics.read_all(tmp_path).counters["giftpad_payments_total"] == {("captured",): 3}


def test_counting_a_request_costs_less_than_five_microseconds():
    import timeit

    def one():
        metrics.note_request("/api/v1/payments", "POST", 201, 0.004, tenant="midori-city")

    number = 20_000
    best = min(timeit.repeat(one, timer=process_clock, number=number, repeat=5)) / number
    assert best < 5e-6


def process_clock():
    used = os.times()
    return used.user + used.system
