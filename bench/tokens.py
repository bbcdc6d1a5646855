"""T1: what it costs to believe a token that was never seen before, beside a bare check of it."""

from __future__ import annotations

import json

from bench.product import TENANT
from bench.rows import Row
from bench.run import Run

PROGRAM = "tests.bench.tokens"
"""The program that signs tokens and times them, since it needs the product's keys."""
COUNT, COUNT_SHORT = 4_000, 500
GATE_US, STRETCH = 100.0, 1.5
MS = 1000


def t1(run: Run) -> Row:
    """T1: the median of so many different tokens, each also decoded by the library alone."""
    product, count = run.product, COUNT_SHORT if run.is_short else COUNT
    token = product.token("payments:accept", shop_id=product.shop_ids()[0])
    said = json.loads(product.run("--like", token, "--count", str(count), module=PROGRAM))
    ours, peer = said["ours_us"], said["peer_us"]
    return Row(
        name="T1",
        work=f"believe a token of {TENANT}, seen for the first time",
        value=ours,
        unit="µs",
        reference=peer,
        reference_what="joserfc alone",
        ratio=ours / peer,
        p50_ms=ours / MS,
        p99_ms=said["ours_p99_us"] / MS,
        cpu_us=said["cpu_us"],
        memory_mb=None,
        gate=f"median < {GATE_US:.0f} µs",
        gate_met=ours < GATE_US,
        stretch=f"≤ {STRETCH:.1f} x",
        stretch_met=ours / peer <= STRETCH,
        is_whole=said["believed"] == count,
        notes=(
            f"{said['believed']:,} of {count:,} tokens believed, {len(token):,} characters each",
            f"the signature alone, by cryptography: {said['signature_us']:.1f} µs",
        ),
    )
