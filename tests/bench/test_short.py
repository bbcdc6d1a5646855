"""A short bench, which fails on a ratio and never on a time; and the past of growth."""

from __future__ import annotations

import pytest

from bench import gifts, growth, lookups, payments, product, tokens
from bench.run import Run

SLACK = 0.5
"""Legs are short and other tests run beside them, so half of a gate is asked for."""
PAST = 4_000


@pytest.fixture(scope="module")
def run():
    with product.fresh() as running:
        yield Run(running, is_short=True)


@pytest.mark.long
def test_payments_look_ups_and_events_keep_their_ratios(run):
    b1, b2, b6 = payments.b1(run), lookups.b2(run), payments.b6(run)
    assert run.leg.counts.are_equal, run.leg.counts
    assert run.leg.load.count() == run.leg.load.count(payments.PAID), run.leg.load.by_status()
    assert b1.ratio >= SLACK * payments.GATE, b1
    assert b2.ratio >= SLACK * lookups.GATE, b2
    assert b6.ratio >= 1, b6


@pytest.mark.long
def test_a_token_is_believed_quickly(run):
    row = tokens.t1(run)
    assert row.is_whole, row
    assert row.ratio <= tokens.STRETCH / SLACK, row


@pytest.mark.long
def test_gifts_keep_their_ratios_and_nobody_gets_two_letters():
    found = gifts.measure_fresh(is_short=True)
    assert found.fates.shortcomings == []
    assert found.mail_ratio >= SLACK * gifts.MAIL_GATE, found
    assert found.issue_ratio >= SLACK * gifts.ISSUE_GATE, found
    assert found.beside.worst >= SLACK * gifts.BESIDE_GATE, found.beside
    assert len(found.beside.codes_s) > 0
    assert max(found.beside.codes_s) < float("inf"), "every code is at the provider"


@pytest.mark.long
def test_a_loaded_past_is_whole_and_the_books_agree_with_it(run):
    growth.pay_everywhere(run)
    growth.load_past(run, PAST + growth.count_payments(run.product))
    with run.product.connect() as database:
        tables = {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in growth.WRITTEN
        }
        database.execute("UPDATE reporting_days SET paid_count = paid_count + 1")
    assert tables["payment_payments"] == tables["payment_history"] == tables["guard_keys"]
    assert tables["event_inbox"] >= 2 * PAST
    with pytest.raises(RuntimeError, match="differences"):
        run.product.run("ledger", "verify", "--tenant", product.TENANT)
