"""B5: five times as much as can be done, asked for at fixed instants whatever the answers do.

Beside it, printed and not gated: how soon payments are themselves again afterwards, and what a
rush on the public pages does to the payments of shops.  Rush and payments are made by a process
each, so that neither waits for the other.
"""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from bench.ending import end_silently
from bench.load import BROKEN, UNSENT, Load, run_open
from bench.machine import Meter
from bench.product import HOST, TENANT, Product, payments, wait_until_quiet
from bench.rows import Row
from bench.run import Run

OVERLOAD = 5.0
GATE = 0.90
UNMOVED = 1.2
"""A 99th percentile that has grown by less than a fifth has not moved."""
CONNECTIONS = 256
PAID, TURNED_AWAY, SHOWN = 201, 503, 200
QUIET_SHARE = 0.4
"""Of the capacity, so much is asked of shops before, after and beside the rush."""
SLICE_S, RECOVERY_MAX_S, RECOVERY_WANTED_S = 0.5, 10.0, 5.0
NORMAL = 1.5
"""A slice is normal again when its 99th percentile is at most so many times what it was before."""
VISITORS, VISITORS_SHORT = 50_000, 8_000
DEVICES = 250
SHARE = "16/64"
SWITCHES_S = 2.5
EVENTS_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """What became of the requests of an overload."""

    load: Load
    server_cpu_s: float

    @property
    def accepted(self) -> float:
        """Payments a second, the time counted until the last answer was there."""
        return self.load.rate(PAID)

    @property
    def own_share(self) -> float:
        """How much of one core the generator itself took."""
        return self.load.own_cpu_s / self.load.seconds

    @property
    def refuses_faster(self) -> bool:
        """Whether the middle and the slowest refusals came before those of payments."""
        return all(
            self.load.quantile_ms(share, TURNED_AWAY) < self.load.quantile_ms(share, PAID)
            for share in (0.5, 0.99)
        )

    @property
    def unanswered(self) -> int:
        """Requests that got no answer at all."""
        return self.load.count(BROKEN, UNSENT)


def surge(run: Run, requests: Iterator[bytes], *, capacity: float) -> Surge:
    """Ask for ``OVERLOAD`` times the capacity."""
    meter = Meter(run.product.supervisor_pid())
    load = run_open(
        run.product.port,
        requests,
        rate=OVERLOAD * capacity,
        seconds=run.seconds,
        connections=CONNECTIONS,
    )
    meter.read()
    return Surge(load=load, server_cpu_s=meter.cpu_s)


def _quietly(run: Run, requests: Iterator[bytes], *, capacity: float, seconds: float) -> Load:
    return run_open(run.product.port, requests, rate=QUIET_SHARE * capacity, seconds=seconds)


def recovery_s(
    run: Run, requests: Iterator[bytes], *, capacity: float, normal_ms: float
) -> float | None:
    """Return after how long payments were as quick as before and none was turned away."""
    began = time.perf_counter()
    while (now := time.perf_counter() - began) < RECOVERY_MAX_S:
        load = _quietly(run, requests, capacity=capacity, seconds=SLICE_S)
        if set(load.by_status()) == {PAID} and load.quantile_ms(0.99, PAID) <= NORMAL * normal_ms:
            return now
    return None


@contextmanager
def _by_turns(product: Product) -> Iterator[None]:
    """Let visitors in by turns for a while."""
    product.run("admission", "set", "--share", SHARE, "--reason", "the bench's sale")
    time.sleep(SWITCHES_S)
    try:
        yield
    finally:
        product.run("admission", "set", "--share", "64/64", "--reason", "the bench's sale is over")
        time.sleep(SWITCHES_S)


def _addresses() -> list[str]:
    return [f"127.0.{number // 200 + 1}.{number % 200 + 1}" for number in range(DEVICES)]


def _visit(port: int, rate: float, seconds: float) -> Load:
    """Open the tenant's page again and again, from as many addresses as there are connections."""
    page = (
        f"GET /t/{TENANT}/ HTTP/1.1\r\nHost: {HOST}:{port}\r\n"
        "Accept: text/html\r\nAccept-Language: ja\r\n\r\n"
    ).encode()
    return run_open(
        port,
        itertools.repeat(page),
        rate=rate,
        seconds=seconds,
        connections=DEVICES,
        sources=_addresses(),
    )


def rush(run: Run, requests: Iterator[bytes], *, capacity: float) -> tuple[Load, Load, Load]:
    """Return payments alone, payments beside a rush on the public pages, and that rush."""
    visitors = VISITORS_SHORT if run.is_short else VISITORS
    with _by_turns(run.product):
        alone = _quietly(run, requests, capacity=capacity, seconds=run.seconds)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=end_silently) as pool:
            pool.submit(abs, 0).result()  # the process is there before anything is measured
            visits = pool.submit(_visit, run.product.port, visitors / run.seconds, run.seconds)
            beside = _quietly(run, requests, capacity=capacity, seconds=run.seconds)
            return alone, beside, visits.result()


def _p50_p99(load: Load, *statuses: int) -> str:
    return f"{load.quantile_ms(0.5, *statuses):.3g} / {load.quantile_ms(0.99, *statuses):.3g} ms"


def _notes_of_surge(found: Surge, *, recovered_s: float | None) -> tuple[str, ...]:
    load, count = found.load, max(1, found.load.count())
    back = "not within 10 s" if recovered_s is None else f"after {recovered_s:.1f} s"
    return (
        (
            f"{load.count():,} asked over {CONNECTIONS} connections: {load.count(PAID):,} accepted,"
            f" {load.count(TURNED_AWAY):,} turned away, {found.unanswered:,} without an answer"
        ),
        f"p50 / p99: accepted {_p50_p99(load, PAID)}, turned away {_p50_p99(load, TURNED_AWAY)}",
        (
            f"the generator took {found.own_share:.0%} of one core"
            f" ({load.own_cpu_s / count * 1e6:.0f} µs a request), the product"
            f" {found.server_cpu_s / load.seconds:.2f} cores"
        ),
        (
            f"payments as quick as before, and none turned away, {back}"
            f" ({RECOVERY_WANTED_S:g} s are wanted)"
        ),
    )


def _notes_of_rush(alone: Load, beside: Load, visits: Load) -> tuple[str, ...]:
    change = beside.quantile_ms(0.99, PAID) / alone.quantile_ms(0.99, PAID) - 1
    seen = (
        f"a rush of {visits.count():,} visits in {visits.seconds:.0f} s at share {SHARE}:"
        f" {visits.count(SHOWN):,} let in, {visits.count(TURNED_AWAY):,} turned away"
        f" (p50 / p99 {_p50_p99(visits, TURNED_AWAY)}),"
        f" {visits.count(BROKEN, UNSENT):,} without an answer"
    )
    paid = (
        f"payments of shops at {alone.rate(PAID):.0f} /s, p50 / p99: alone"
        f" {_p50_p99(alone, PAID)}, beside the rush {_p50_p99(beside, PAID)}: p99 {change:+.0%}"
        f" (under +20 % is wanted), {beside.count(TURNED_AWAY):,} turned away"
    )
    return seen, paid


def b5(run: Run) -> Row:
    """Measure an overload, the time after it, and a rush beside payments."""
    found_by_b1 = run.rows["B1"]
    capacity, usual_p99_ms = found_by_b1.value, found_by_b1.p99_ms or 0.0
    codes: Sequence[str] = run.codes
    requests = payments(run.product, codes)
    wait_until_quiet(run.product, within_s=EVENTS_S)
    before = _quietly(run, requests, capacity=capacity, seconds=run.seconds / 3)
    found = surge(run, requests, capacity=capacity)
    normal_ms = before.quantile_ms(0.99, PAID)
    recovered_s = recovery_s(run, requests, capacity=capacity, normal_ms=normal_ms)
    meter = Meter(run.product.supervisor_pid())
    meter.read()
    wait_until_quiet(run.product, within_s=EVENTS_S)
    rushed = rush(run, requests, capacity=capacity)
    wait_until_quiet(run.product, within_s=EVENTS_S)
    ratio, p99_ms = found.accepted / capacity, found.load.quantile_ms(0.99, PAID)
    return Row(
        name="B5",
        work=f"payments accepted of {OVERLOAD:g} times the capacity, open loop",
        value=found.accepted,
        unit="/s",
        reference=capacity,
        reference_what="B1 of that run",
        ratio=ratio,
        p50_ms=found.load.quantile_ms(0.5, PAID),
        p99_ms=p99_ms,
        cpu_us=found.server_cpu_s / max(1, found.load.count(PAID)) * 1e6,
        memory_mb=meter.memory_mb,
        gate="accepted ≥ 90 % of capacity; refusals faster than accepts; none unanswered",
        gate_met=ratio >= GATE and found.refuses_faster and not found.unanswered,
        stretch="payment p99 unmoved (≤ 1.2 of B1's)",
        stretch_met=p99_ms <= UNMOVED * usual_p99_ms,
        notes=(
            *_notes_of_surge(found, recovered_s=recovered_s),
            *_notes_of_rush(*rushed),
        ),
    )
