"""Mass gifts hold: workers die in the middle, a provider hangs, codes leave all the same."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psycopg
import pytest

from bench import post
from bench.company import SENDERS, Company
from bench.gifts import CODES_P99_MAX_S, SHORT, Bench
from bench.product import fresh

GIFTS, CHUNK, KILLS = 5_000, 500, 10
CODES, CODES_CHUNK, CODES_KILLS = 10_000, 2_000, 5
BACKLOG = 3_000
CODES_LEAST = 20
WITHIN_S = 600
WRITING = """
    SELECT 1 FROM pg_stat_activity
    WHERE usename = 'giftpad_app' AND state <> 'idle' AND query LIKE '%INSERT INTO gifts (%'
"""
LEASES = "UPDATE event_outbox SET leased_until = NULL WHERE done_at IS NULL"
"""As time does: nobody waits half a minute for a hint that died with its worker."""


@pytest.fixture(scope="module")
def bench():
    """A company whose letters arrive where they are counted; SMS are not limited here."""
    with post.running() as office, fresh(None, **office.settings) as product:
        yield Bench(Company(product), office, SHORT)


def wait_until(is_so, what):
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.002)


def kill_while_it_writes(bench, database, order_id, issued):
    """Kill every worker that issues, while one of them writes the chunk after ``issued``."""

    def is_writing():
        (count,) = database.execute(
            "SELECT issued_to FROM gift_orders WHERE id = %s", [order_id]
        ).fetchone()
        if count < issued:
            database.execute(LEASES)
            return False
        return database.execute(WRITING).fetchone() is not None or count > issued

    wait_until(is_writing, f"the chunk after {issued}")
    for pid in bench.company.product.pids(*SENDERS):
        with contextlib.suppress(ProcessLookupError):  # it is being started again
            os.kill(pid, signal.SIGKILL)
    database.execute(LEASES)


@pytest.mark.long
def test_ten_dead_workers_leave_exactly_as_many_gifts_as_were_ordered(bench):
    issue_while_workers_die(bench, "link", GIFTS, [n * CHUNK for n in range(KILLS)])


@pytest.mark.long
def test_dead_workers_leave_exactly_as_many_codes_as_were_ordered(bench):
    issue_while_workers_die(bench, "code", CODES, [n * CODES_CHUNK for n in range(CODES_KILLS)])


def issue_while_workers_die(bench, channel, quantity, kills):
    company = bench.company
    with psycopg.connect(company.product.database_url(), autocommit=True) as database:
        orders = company.order(f"issue-{channel}", quantity, channel=channel)
        for issued in kills:
            kill_while_it_writes(bench, database, orders.ids[0], issued)

        def is_issued():
            database.execute(LEASES)
            return company.count_issued(orders) == quantity

        wait_until(is_issued, "all gifts")
        found = database.execute(
            "SELECT count(*), count(DISTINCT number), count(DISTINCT locator), min(number),"
            " max(number), count(DISTINCT account_id) FROM gifts WHERE order_id = %s",
            orders.ids,
        ).fetchone()
        (lines,) = database.execute(
            "SELECT count(*) FROM gift_lines WHERE order_id = %s", orders.ids
        ).fetchone()
    assert found == (quantity, quantity, quantity, 1, quantity, quantity)
    assert lines == 0
    order = company.ask("GET", f"/api/v1/gift-orders/{orders.ids[0]}")
    assert (order["state"], order["progress"]["issued"]) == ("sent", quantity)
    assert "agree" in company.product.run("ledger", "verify", "--tenant", "hanamaru").casefold()


@pytest.mark.long
@pytest.mark.parametrize("manner", ["silent", "failing"])
def test_codes_leave_in_time_while_a_backlog_waits_and_a_provider_hangs(bench, manner):
    """Thousands of letters and SMS of the same tenant stand before each code."""
    bench.office.be(manner)
    with bench.company.codes() as asked:  # from before the first letter until the last
        bench.company.order(f"sms-{manner}", SHORT.texts, channel="sms")
        orders = bench.company.order(f"backlog-{manner}", BACKLOG)
        bench.wait("the backlog", lambda: bench.arrived(orders).total() == BACKLOG)
    bench.office.be("fine")
    assert len(asked) >= CODES_LEAST
    came = {}

    def are_all_there():
        bench.office.look()
        came.update((to, at) for at, to, _ in reversed(bench.office.mails))
        return asked.keys() <= came.keys()

    wait_until(are_all_there, "the last code")
    waits_s = sorted(came[to] - at for to, at in asked.items())
    assert waits_s[int(0.99 * len(waits_s)) - 1] <= CODES_P99_MAX_S, waits_s
