"""B2: what a shop asks before it takes a coupon, over 200,000 coupons and more."""

from __future__ import annotations

from statistics import fmean

from bench.load import run_closed
from bench.machine import Meter
from bench.peer import SELECT_ONLY
from bench.product import look_ups
from bench.rows import Row
from bench.run import Run

GATE, STRETCH = 0.08, 0.15
WARM_UP_SHARE = 1 / 6
OK = 200


def b2(run: Run) -> Row:
    """B2: a balance look-up over HTTP, beside ``pgbench -S`` before and after it."""
    product = run.product
    requests = look_ups(product, run.codes)
    run_closed(product.port, requests, seconds=run.seconds * WARM_UP_SHARE)
    first = run.peer.run(SELECT_ONLY, run.seconds)
    meter = Meter(product.supervisor_pid(), product.parts())
    load = run_closed(product.port, requests, seconds=run.seconds)
    meter.read()
    second = run.peer.run(SELECT_ONLY, run.seconds)
    rate, reference = load.rate(OK), fmean([first, second])
    is_whole = load.count() == load.count(OK)
    asked = min(load.count(OK), len(run.codes))
    return Row(
        name="B2",
        work="balance look-up over HTTP",
        value=rate,
        unit="/s",
        reference=reference,
        reference_what=f"pgbench -S -s {run.peer.scale}",
        ratio=rate / reference,
        p50_ms=load.quantile_ms(0.5, OK),
        p99_ms=load.quantile_ms(0.99, OK),
        cpu_us=meter.cpu_us(load.count(OK)),
        memory_mb=meter.memory_mb,
        gate=f"≥ {GATE:.2f} x",
        gate_met=rate / reference >= GATE and is_whole,
        stretch=f"≥ {STRETCH:.2f} x",
        stretch_met=rate / reference >= STRETCH,
        is_whole=is_whole,
        notes=(
            f"pgbench -S {first:,.0f}/s before and {second:,.0f}/s after",
            f"{asked:,} different coupons of {len(run.codes):,} were asked for, in no order",
            f"answers: {dict(load.by_status())}",
            f"CPU of a look-up: {meter.said(load.count(OK))}",
            f"the generator took {load.own_cpu_s / load.seconds:.0%} of one core",
        ),
    )
