"""Every part is killed with payments in flight: none acknowledged is lost, none is doubled.

What was acknowledged stands in a log of the test's own, written as each answer arrives; a call
whose answer is lost is asked again with the same key, as a till does.
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.flows.conftest import TENANT, start_product
from tests.flows.tills import Tills, wait_for

ACKNOWLEDGED_MIN = 1000
TILLS = 6
TARGETS = ("web", "relay", "jobs-1", "redis", "postgres", "jobs-2", "web")
BACK_WITHIN_S = 90
SETTLED_WITHIN_S = 180


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    running = start_product(tmp_path_factory.mktemp("chaos") / "home")
    yield running
    running.run("down")
    running.run("reset", "--yes")


def kill(town, part):
    """End one part without warning and wait until the supervisor has it up again."""
    pid = town.pids()[part]
    os.kill(pid, signal.SIGKILL)

    def is_back():
        now = {p.name: p for p in town.status().parts}[part]
        return now.state == "up" and now.pid not in (None, pid)

    wait_for(is_back, BACK_WITHIN_S)


@pytest.mark.long
def test_nothing_acknowledged_is_lost_whatever_is_killed(town, tmp_path):
    codes = town.codes(town.batch(64))
    caller = town.caller("payments:accept", shop_id=town.shops()[0])
    log_path = tmp_path / "acknowledged.log"
    with log_path.open("w") as log, ThreadPoolExecutor(TILLS) as pool:
        tills = Tills(caller, codes, log)
        jobs = [pool.submit(tills.serve, n) for n in range(TILLS)]
        try:
            for part in TARGETS:
                before = tills.acknowledged
                wait_for(lambda before=before: tills.acknowledged > before + 40, BACK_WITHIN_S)
                kill(town, part)
            wait_for(lambda: tills.acknowledged >= ACKNOWLEDGED_MIN, BACK_WITHIN_S)
        finally:
            tills.stop.set()
            for job in jobs:
                job.result()
    assert tills.refused == []
    acknowledged = dict(line.split() for line in log_path.read_text().splitlines())
    assert len(acknowledged) >= ACKNOWLEDGED_MIN
    check_books(town, acknowledged)


def check_books(town, acknowledged):
    """Compare the log with payments, balances, history and receipts, read past the product."""
    superuser = town.superuser()
    with psycopg.connect(superuser, autocommit=True) as connection:

        def one(statement):
            return connection.execute(statement).fetchone()[0]

        kept = {str(row[0]) for row in connection.execute("SELECT id FROM payment_payments")}
        assert kept == set(acknowledged.values())
        assert one("SELECT sum(amount_minor) FROM payment_payments") == len(acknowledged)
        in_town = one(
            "SELECT sum(balance_minor) FROM ledger_accounts JOIN tenants ON tenants.id = tenant_id"
            f" WHERE slug = '{TENANT}'"
        )
        assert in_town == 64_000 - len(acknowledged)
        wait_for(
            lambda: one("SELECT count(*) FROM event_outbox WHERE done_at IS NULL") == 0,
            SETTLED_WITHIN_S,
        )
        assert one("SELECT count(*) FROM payment_history") == len(acknowledged)
    town.must("ledger", "verify")
    town.must("events", "reconcile")
    town.must("audit", "verify")
    assert "0 dead letters" in town.must("events", "dead")
