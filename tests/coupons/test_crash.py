"""Workers are killed in every state of a batch; what comes out is whole all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from giftpad import ledger, payments, wiring
from giftpad.kernel.db import database
from giftpad.kernel.work import unit_of_work
from tests import make
from tests import make_coupons as mk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILL_WHEN = {
    "a chunk is being issued": "EXISTS (SELECT FROM coupon_chunks WHERE state = 'running')",
    "a chunk is issued": "EXISTS (SELECT FROM coupon_chunks WHERE state = 'done')",
    "a volume is being drawn": "EXISTS (SELECT FROM coupon_volumes WHERE state = 'printing')",
    "a volume is read back": "EXISTS (SELECT FROM coupon_volumes WHERE state = 'verifying')",
    "a volume is ready": "EXISTS (SELECT FROM coupon_volumes WHERE state = 'ready')",
}
ALL_READY = "(SELECT bool_and(state = 'ready') FROM coupon_batches)"


@contextmanager
def process(settings, *arguments):
    """Run a process of the product on these settings; it is killed at the end."""
    names = ("home", "database_url", "database_owner_url", "database_relay_url", "redis_url")
    variables = {f"GIFTPAD_{name.upper()}": str(getattr(settings, name)) for name in names}
    variables |= {"GIFTPAD_KEK_FILE": str(settings.kek_path), "GIFTPAD_LOG_LEVEL": "WARNING"}
    child = subprocess.Popen(
        [sys.executable, "-m", "worker", *arguments], cwd=ROOT, env=os.environ | variables
    )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def wait_until(connection, question, child, *, patience_s):
    deadline = time.monotonic() + patience_s
    while not connection.execute(f"SELECT {question}").fetchone()[0]:
        assert child.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline, question
        time.sleep(0.002)


def let_leases_lapse(connection):
    """Stand in for the half minute after which a dead worker's leases are over."""
    connection.execute("UPDATE event_outbox SET leased_until = now()")
    connection.execute("UPDATE coupon_volumes SET claimed_until = now()")


def run_through_kills(settings, superuser, *, patience_s):
    with psycopg.connect(superuser, autocommit=True) as connection, process(settings, "relay"):
        for moment, question in KILL_WHEN.items():
            with process(settings, "jobs", "heavy") as child:
                wait_until(connection, question, child, patience_s=patience_s)
            print("killed when", moment)
            let_leases_lapse(connection)
        with process(settings, "jobs", "heavy") as child:
            wait_until(connection, ALL_READY, child, patience_s=patience_s)


def check_whole(town, batch_id, quantity):
    batch = mk.get_batch(town, batch_id)
    assert (batch.state, batch.counts.issued, batch.counts.verified) == (
        "ready",
        quantity,
        quantity,
    )
    with unit_of_work(town.scope) as work:
        first = mk.LOCATORS_TAKEN + 1
        assert payments.count_instruments(work, first, first + quantity - 1) == quantity
        assert payments.count_instruments(work, 0, quantity * 10) == quantity
        assert ledger.sum_by_kind(work, town.programme_id)["funding"] == -1000 * quantity
    volumes = [
        (volume.serial_first, volume.serial_last, volume.quantity) for volume in batch.volumes
    ]
    assert sum(volume[2] for volume in volumes) == quantity
    assert (volumes[0][0], volumes[-1][1]) == ("MC-0000001", f"MC-{quantity:07d}")
    assert make.differences(town.scope) == []


@pytest.fixture
def fresh(fresh_settings, servers):
    wiring.bootstrap(fresh_settings)
    name = fresh_settings.database_url.rpartition("/")[2]
    yield fresh_settings, servers.urls.in_database(name).superuser
    database().close()


def test_a_batch_survives_the_death_of_its_workers(fresh, monkeypatch):
    settings, superuser = fresh
    monkeypatch.setattr("giftpad.coupons.commands.opening.CHUNK_COUNT_MAX", 150)
    monkeypatch.setattr("giftpad.coupons.commands.opening.VOLUME_COUNT_MAX", 100)
    town = mk.make_town()
    batch_id = mk.order(town, 400)
    run_through_kills(settings, superuser, patience_s=60)
    check_whole(town, batch_id, 400)
    mk.release(town, batch_id)
    paper = [pair for n in range(1, 5) for pair in mk.read_paper(mk.take_pdf(town, batch_id, n))]
    assert len({qr for qr, _ in paper}) == len({typed for _, typed in paper}) == 400
    for number in (1, 100, 101, 150, 151, 400):
        for code in paper[number - 1]:
            payments.pay(town.scope, make.pay_order(town, number, code=code))
        assert mk.get_coupon(town, f"MC-{number}").balance_minor == 1000 - 2 * number


@pytest.mark.long
def test_a_batch_of_a_hundred_thousand_survives_too(fresh):
    settings, superuser = fresh
    town = mk.make_town()
    batch_id = mk.order(town, 100_000)
    run_through_kills(settings, superuser, patience_s=1800)
    check_whole(town, batch_id, 100_000)
