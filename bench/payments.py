"""B1, a payment over HTTP, and B6, its event on the rails: measured together, counted afterwards.

Nothing of the product is switched off: the public route, the token, the caller's limits, row-level
security, ceilings; relay and workers run beside it and are paid for out of the same two cores.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from uuid import UUID

import psycopg

from bench.load import Load, run_closed
from bench.machine import Meter
from bench.peer import TPC_B
from bench.product import count_waiting, paid_id, payments, wait_until_quiet
from bench.rows import Row
from bench.run import Run

GATE, STRETCH = 0.40, 0.70
TAIL_MAX = 6.0
LAG_MAX_S = 2.0
RAILS_STRETCH = 5.0
WARM_UP_SHARE = 1 / 6
BACKLOG_SHARE = 1 / 3
EVENTS_S = 300.0
LOOK_S = 0.02
PAID = 201
CAPTURED = "payment.captured_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the payments that were acknowledged, counted by their ids."""

    acknowledged: int
    payments: int
    transfers: int
    events: int
    history: int
    by_handler: dict[str, int]
    written: int
    """Payments that are there in all since the leg began, asked for or not."""

    @property
    def are_equal(self) -> bool:
        """Whether every acknowledged payment is everywhere once, and no other is there."""
        found = {self.payments, self.transfers, self.events, self.history, self.written}
        return found | set(self.by_handler.values()) == {self.acknowledged}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """Payments for a while, until the last of their events had all its receipts."""

    load: Load
    lag_s: float
    delay_p50_ms: float
    delay_p99_ms: float
    counts: Counts
    cpu_us: float
    cpu_of_parts: str
    memory_mb: float


def measure(run: Run, *, seconds: float) -> Leg:
    """Pay for ``seconds`` from 16 connections, wait for the events, then count everything."""
    product = run.product
    requests = payments(product, run.codes)
    wait_until_quiet(product, within_s=EVENTS_S)
    with product.connect() as database:
        before = _count_payments(database)
        began_at = database.execute("SELECT clock_timestamp()").fetchone()
        assert began_at is not None
        acknowledged: list[bytes] = []
        meter = Meter(product.supervisor_pid(), product.parts())
        load = run_closed(
            product.port,
            requests,
            seconds=seconds,
            keep=lambda answer: acknowledged.append(paid_id(answer)),
        )
        ended = time.perf_counter()
        meter.read()
        wait_until_quiet(product, within_s=EVENTS_S, look_s=LOOK_S)
        lag_s = time.perf_counter() - ended
        counts = count(database, acknowledged, before=before)
        delays = _delays(database)
    return Leg(
        load=load,
        lag_s=lag_s,
        delay_p50_ms=delays[0],
        delay_p99_ms=delays[1],
        counts=counts,
        cpu_us=meter.cpu_us(len(acknowledged)),
        cpu_of_parts=meter.said(len(acknowledged)),
        memory_mb=meter.memory_mb,
    )


def _count_payments(database: psycopg.Connection[tuple[object, ...]]) -> int:
    return _one(database, "SELECT count(*) FROM payment_payments")


def _one(database: psycopg.Connection[tuple[object, ...]], query: str) -> int:
    row = database.execute(query).fetchone()
    assert row is not None
    return int(str(row[0]))


def count(
    database: psycopg.Connection[tuple[object, ...]], acknowledged: list[bytes], *, before: int
) -> Counts:
    """Look for every acknowledged payment by its id, in every table that it should be in.

    The ids stay in the session's table ``acked``.
    """
    database.execute("DROP TABLE IF EXISTS acked")
    database.execute("CREATE TEMP TABLE acked (id uuid PRIMARY KEY)")
    with database.cursor().copy("COPY acked (id) FROM STDIN") as copy:
        for each in acknowledged:
            copy.write_row([UUID(each.decode())])
    database.execute("ANALYZE acked")
    events = f"event_outbox o JOIN acked a ON a.id = o.object_id AND o.name = '{CAPTURED}'"
    handlers = database.execute(
        f"SELECT i.handler, count(*) FROM {events} JOIN event_inbox i"  # noqa: S608 - our own words
        " ON i.tenant_id = o.tenant_id AND i.event_id = o.id AND i.outcome = 'done' GROUP BY 1"
    ).fetchall()
    transfers = "ledger_transfers t JOIN payment_payments p ON p.transfer_id = t.id"
    history = "payment_history h JOIN acked a ON a.id = h.payment_id AND h.kind = 'pay'"
    return Counts(
        acknowledged=len(acknowledged),
        payments=_one(database, "SELECT count(*) FROM payment_payments JOIN acked USING (id)"),
        transfers=_one(
            database,
            f"SELECT count(*) FROM {transfers} JOIN acked a ON a.id = p.id"  # noqa: S608 - as above
            " WHERE t.tenant_id = p.tenant_id AND t.kind = 'pay'"
            " AND t.amount_minor = p.amount_minor AND t.debit_id = p.account_id",
        ),
        events=_one(database, f"SELECT count(*) FROM {events}"),  # noqa: S608 - as above
        history=_one(database, f"SELECT count(*) FROM {history}"),  # noqa: S608 - as above
        by_handler={str(name): int(str(number)) for name, number in handlers},
        written=_count_payments(database) - before,
    )


def _delays(database: psycopg.Connection[tuple[object, ...]]) -> tuple[float, float]:
    """Return median and 99th percentile, in ms, from payment to the last receipt of its event."""
    row = database.execute(
        "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY"  # noqa: S608 - as above
        " extract(epoch FROM done_at - created_at) * 1000)"
        f" FROM event_outbox o JOIN acked a ON a.id = o.object_id AND o.name = '{CAPTURED}'"
    ).fetchone()
    assert row is not None
    assert isinstance(row[0], list)
    return float(row[0][0]), float(row[0][1])


def b1(run: Run) -> Row:
    """B1: a payment over HTTP, beside pgbench's TPC-B before and after it."""
    requests = payments(run.product, run.codes)
    run_closed(run.product.port, requests, seconds=run.seconds * WARM_UP_SHARE)
    wait_until_quiet(run.product, within_s=EVENTS_S)
    first = run.peer.run(TPC_B, run.seconds)
    leg = run.leg = measure(run, seconds=run.seconds)
    second = run.peer.run(TPC_B, run.seconds)
    rate, reference = leg.load.rate(PAID), fmean([first, second])
    ratio, median = rate / reference, leg.load.quantile_ms(0.5, PAID)
    tail = leg.load.quantile_ms(0.99, PAID)
    is_whole = leg.counts.are_equal and leg.load.count() == leg.load.count(PAID)
    return Row(
        name="B1",
        work="payment over HTTP",
        value=rate,
        unit="/s",
        reference=reference,
        reference_what=f"TPC-B -s {run.peer.scale}",
        ratio=ratio,
        p50_ms=median,
        p99_ms=tail,
        cpu_us=leg.cpu_us,
        memory_mb=leg.memory_mb,
        gate=f"≥ {GATE:.2f} x, p99 ≤ {TAIL_MAX:.0f} x median, every payment found",
        gate_met=ratio >= GATE and tail <= TAIL_MAX * median and is_whole,
        stretch=f"≥ {STRETCH:.2f} x",
        stretch_met=ratio >= STRETCH,
        is_whole=is_whole,
        notes=(
            f"TPC-B {first:,.0f}/s before and {second:,.0f}/s after",
            f"p99 is {tail / median:.1f} x the median; answers: {dict(leg.load.by_status())}",
            _said(leg.counts),
            f"CPU of a payment: {leg.cpu_of_parts}",
            f"the generator took {leg.load.own_cpu_s / leg.load.seconds:.0%} of one core",
        ),
    )


def _said(counts: Counts) -> str:
    found = (
        f"{counts.payments:,} payments, {counts.transfers:,} transfers, {counts.events:,} events"
    )
    equal = "all equal" if counts.are_equal else "NOT EQUAL"
    return f"{counts.acknowledged:,} acknowledged; found by id: {found}: {equal}"


@contextmanager
def paused(run: Run, part: str) -> Iterator[None]:
    """Let a part of the product stand still for a while."""
    pid = run.product.parts()[part]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def drain(run: Run) -> tuple[float, float]:
    """Let events pile up behind a relay that stands still; return the rate they then go at.

    The second value is the CPU time in µs that each of them cost.
    """
    wait_until_quiet(run.product, within_s=EVENTS_S)
    requests = payments(run.product, run.codes)
    with paused(run, "relay"):
        run_closed(run.product.port, requests, seconds=run.seconds * BACKLOG_SHARE)
        with run.product.connect() as database:
            waiting = count_waiting(database)
        meter = Meter(run.product.supervisor_pid())
        began = time.perf_counter()
    wait_until_quiet(run.product, within_s=EVENTS_S, look_s=LOOK_S)
    seconds = time.perf_counter() - began
    meter.read()
    return waiting / seconds, meter.cpu_us(waiting)


def b6(run: Run) -> Row:
    """B6: the events of B1's payments, through relay and inbox while it ran."""
    assert run.leg is not None
    leg = run.leg
    rate = leg.load.rate(PAID)
    alone, cpu_us = drain(run)
    receipts = ", ".join(f"{name} {number:,}" for name, number in leg.counts.by_handler.items())
    return Row(
        name="B6",
        work="events through the rails",
        value=alone,
        unit="/s",
        reference=rate,
        reference_what="payments of B1",
        ratio=alone / rate,
        p50_ms=leg.delay_p50_ms,
        p99_ms=leg.delay_p99_ms,
        cpu_us=cpu_us,
        memory_mb=leg.memory_mb,
        gate=f"lag ≤ {LAG_MAX_S:.0f} s when B1 ends, counts equal",
        gate_met=leg.lag_s <= LAG_MAX_S and leg.counts.are_equal,
        stretch=f"≥ {RAILS_STRETCH:.0f} x B1",
        stretch_met=alone >= RAILS_STRETCH * rate,
        notes=(
            f"when B1 ended, the last event had all its receipts after {leg.lag_s:.2f} s",
            f"receipts: {receipts}; history {leg.counts.history:,}",
            "p50 and p99: from a payment to the last receipt of its event, while B1 ran",
            "value: a backlog, drained with nothing else to do",
        ),
    )
