"""B1 and B2 with more and more past behind them: 10 thousand, 1 million, 10 million payments.

The past is loaded, not lived through: as the administrator, by INSERT … SELECT, a row in every
table that a payment writes - key, transfer, payment, event with its receipts, history, the day's
figures - and in those that its coupon has.  It is the worst case: all of it happened within the
last four weeks, so that nothing has been cleared away yet.  `giftpad ledger verify` judges it like
any other.  Of large loads the indexes are built afterwards, which leaves them denser than years
of payments would.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click
import psycopg
from psycopg import sql

from bench.load import run_closed
from bench.lookups import b2
from bench.payments import EVENTS_S, b1, paused
from bench.product import TENANT, Product, payments, wait_until_quiet
from bench.rows import Row
from bench.run import Run

SIZES = (10_000, 1_000_000, 10_000_000)
LOSS_MAX = 0.15
PER_COUPON = 4
"""Past payments that one past coupon was used up by."""
AMOUNT, FACE_VALUE = 250, 1000
REBUILD_FROM = 200_000
VERIFY_S = 3600
WRITTEN = (
    "ledger_accounts",
    "payment_instruments",
    "ledger_transfers",
    "guard_keys",
    "payment_payments",
    "event_outbox",
    "event_inbox",
    "payment_history",
)
Connection = psycopg.Connection[tuple[Any, ...]]

_SETTINGS = {
    "maintenance_work_mem": "1GB",
    # Rows should come in the order in which they happened, without sorting millions of them.
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
}
_PATTERN = """
    CREATE TEMP TABLE pattern AS
    SELECT p.tenant_id, p.programme_id, p.unit, p.kind, p.client_id, p.actor, n.zone,
        f.id AS funding_id, uuidv7() AS terms_id, uuidv7() AS entry_id, i.terms_id AS like_terms_id,
        (SELECT next_locator FROM payment_locators l WHERE l.tenant_id = p.tenant_id) AS locator
    FROM payment_payments p
    JOIN tenants n ON n.id = p.tenant_id
    JOIN payment_instruments i ON i.tenant_id = p.tenant_id AND i.locator = p.locator
    JOIN ledger_accounts f ON f.tenant_id = p.tenant_id AND f.book_id = p.programme_id
        AND f.kind = 'funding'
    ORDER BY p.id DESC LIMIT 1
"""
_PAST = (
    # Which coupons there were …
    """
    CREATE UNLOGGED TABLE past_coupons AS
    SELECT n, uuidv7(interval '-29 days') AS account_id, uuidv7(interval '-29 days') AS transfer_id,
        now() - interval '29 days' AS at
    FROM generate_series(0, %(coupons)s - 1) n
    """,
    """
    CREATE UNLOGGED TABLE past (
        n bigint, coupon bigint, step int, account_id uuid, at timestamptz,
        payment_id uuid, transfer_id uuid, event_id uuid, payable_id uuid, shop_id uuid
    )
    """,
)
# … and how they were used up, one payment after the other, in the shops that take them.
_STEP = """
    INSERT INTO past
    WITH shops AS (
        SELECT array_agg(a.id ORDER BY a.id) AS payable_ids,
            array_agg(a.subject_id ORDER BY a.id) AS shop_ids
        FROM ledger_accounts a JOIN pattern USING (tenant_id)
        WHERE a.kind = 'shop_payable' AND a.book_id = programme_id
    )
    SELECT n, coupon, %(step)s, account_id, now() + shift, uuidv7(shift), uuidv7(shift),
        uuidv7(shift), payable_ids[1 + n %% cardinality(payable_ids)],
        shop_ids[1 + n %% cardinality(shop_ids)]
    FROM (
        SELECT (%(step)s - 1) * %(coupons)s + c.n AS n, c.n AS coupon, c.account_id,
            interval '28 days' * (((%(step)s - 1) * %(coupons)s + c.n)::float8 / %(count)s - 1)
                - interval '2 hours' AS shift
        FROM past_coupons c
    ) numbered CROSS JOIN shops
"""
_FILL = (
    """
    UPDATE payment_locators l SET next_locator = next_locator + %(coupons)s FROM pattern x
    WHERE l.tenant_id = x.tenant_id
    """,
    """
    INSERT INTO payment_terms
        (tenant_id, id, programme_id, kind, starts_at, ends_at, released_at)
    SELECT x.tenant_id, x.terms_id, x.programme_id, t.kind, t.starts_at, t.ends_at, t.released_at
    FROM pattern x JOIN payment_terms t ON t.tenant_id = x.tenant_id AND t.id = x.like_terms_id
    """,
    """
    INSERT INTO ledger_accounts (tenant_id, id, book_id, kind, unit, balance_minor, seq)
    SELECT tenant_id, account_id, programme_id, 'coupon', unit, 0, 1 + %(per_coupon)s
    FROM past_coupons CROSS JOIN pattern
    """,
    """
    INSERT INTO payment_instruments (tenant_id, locator, code_hash, account_id, terms_id, state)
    SELECT tenant_id, locator + n, sha256(uuid_send(account_id)), account_id, terms_id, 'live'
    FROM past_coupons CROSS JOIN pattern
    """,
    """
    INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id, amount_minor,
        credit_after_minor, credit_seq, at)
    SELECT tenant_id, transfer_id, entry_id, 'issue', funding_id, account_id, %(face_value)s,
        %(face_value)s, 1, at
    FROM past_coupons CROSS JOIN pattern
    """,
    """
    INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id, amount_minor,
        debit_after_minor, debit_seq, at)
    SELECT tenant_id, transfer_id, payment_id, 'pay', account_id, payable_id, %(amount)s,
        %(face_value)s - step * %(amount)s, step + 1, at
    FROM past CROSS JOIN pattern
    """,
    """
    INSERT INTO guard_keys (tenant_id, client_id, key, request_hash, answer_ref, kept_until)
    SELECT tenant_id, client_id, replace(gen_random_uuid()::text, '-', ''),
        sha256(uuid_send(payment_id)), payment_id, at + interval '30 days'
    FROM past CROSS JOIN pattern
    """,
    """
    INSERT INTO payment_payments (tenant_id, id, kind, locator, account_id, programme_id, shop_id,
        unit, amount_minor, balance_after_minor, refunded_minor, transfer_id, client_id, actor, at)
    SELECT tenant_id, payment_id, kind, locator + coupon, account_id, programme_id, shop_id, unit,
        %(amount)s, %(face_value)s - step * %(amount)s, 0, transfer_id, client_id, actor, at
    FROM past CROSS JOIN pattern
    """,
    """
    INSERT INTO event_outbox (tenant_id, id, name, object_id, payload, created_at, sendings,
        leased_until, done_at)
    SELECT tenant_id, event_id, 'payment.captured_v1', payment_id, jsonb_build_object(
        'object_id', payment_id, 'account_id', account_id, 'programme_id', programme_id,
        'shop_id', shop_id, 'unit', unit, 'amount_minor', %(amount)s,
        'balance_minor', %(face_value)s - step * %(amount)s, 'transfer_id', transfer_id, 'at', at),
        at, 1, at + interval '30 seconds', at + interval '1 second'
    FROM past CROSS JOIN pattern
    """,
    """
    INSERT INTO event_inbox (tenant_id, event_id, handler, outcome, received_at)
    SELECT tenant_id, event_id, handler, 'done', at + interval '1 second'
    FROM past CROSS JOIN pattern CROSS JOIN handlers
    """,
    """
    INSERT INTO payment_history (tenant_id, id, payment_id, kind, account_id, shop_id, programme_id,
        amount_minor, balance_minor, at)
    SELECT tenant_id, payment_id, payment_id, 'pay', account_id, shop_id, programme_id, %(amount)s,
        %(face_value)s - step * %(amount)s, at
    FROM past CROSS JOIN pattern
    """,
    """
    INSERT INTO reporting_days AS d
        (tenant_id, programme_id, day, unit, issued_count, issued_minor, paid_count, paid_minor)
    SELECT tenant_id, programme_id, (at AT TIME ZONE zone)::date, unit,
        sum(issued), sum(issued * %(face_value)s), sum(paid), sum(paid * %(amount)s)
    FROM (
        SELECT at, 1 AS issued, 0 AS paid FROM past_coupons
        UNION ALL SELECT at, 0, 1 FROM past
    ) moves CROSS JOIN pattern
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (tenant_id, programme_id, day) DO UPDATE SET
        issued_count = d.issued_count + excluded.issued_count,
        issued_minor = d.issued_minor + excluded.issued_minor,
        paid_count = d.paid_count + excluded.paid_count,
        paid_minor = d.paid_minor + excluded.paid_minor
    """,
)
_HANDLERS = """
    CREATE TEMP TABLE handlers AS
    SELECT DISTINCT i.handler FROM event_inbox i
    JOIN (SELECT tenant_id, id FROM event_outbox WHERE name = 'payment.captured_v1'
        ORDER BY id DESC LIMIT 1000) o ON o.tenant_id = i.tenant_id AND o.id = i.event_id
"""


def load_past(run: Run, total: int) -> None:
    """Bring the number of payments that have happened up to ``total``, and prove the books.

    Raises: RuntimeError if the books do not agree afterwards.
    """
    count = (total - count_payments(run.product)) // PER_COUPON * PER_COUPON
    if count <= 0:
        return
    with run.product.connect() as database, paused(run, "relay"):
        for setting, value in _SETTINGS.items():
            database.execute("SELECT set_config(%s, %s, false)", [setting, value])
        database.execute("DROP TABLE IF EXISTS past, past_coupons")
        values = {
            "count": count,
            "coupons": count // PER_COUPON,
            "per_coupon": PER_COUPON,
            "amount": AMOUNT,
            "face_value": FACE_VALUE,
        }
        for statement in (_PATTERN, _HANDLERS, *_PAST):
            database.execute(statement, values if "%(" in statement else None)
        for step in range(1, PER_COUPON + 1):
            database.execute(_STEP, values | {"step": step})
        with _indexes_apart(database, is_worth_it=count >= REBUILD_FROM):
            for statement in _FILL:
                database.execute(statement, values if "%(" in statement else None)
        database.execute("DROP TABLE past, past_coupons")
        for table in WRITTEN:
            database.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        database.execute("CHECKPOINT")
    run.product.run("ledger", "verify", "--tenant", TENANT, timeout_s=VERIFY_S)


def count_payments(product: Product) -> int:
    """Return how many payments there are."""
    with product.connect() as database:
        row = database.execute("SELECT count(*) FROM payment_payments").fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def _indexes_apart(database: Connection, *, is_worth_it: bool) -> Iterator[None]:
    """Take the indexes of the large tables away and build them anew afterwards, the same ones."""
    found = _indexes(database) if is_worth_it else []
    for drop, _ in found:
        database.execute(drop)
    yield
    for _, make in found:
        database.execute(make)


def _indexes(database: Connection) -> list[tuple[sql.Composed, sql.Composed]]:
    """Return what removes each index of the written tables, and what makes it again."""
    alter = sql.SQL("ALTER TABLE {} ")
    steps = []
    constraints = database.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = ANY (%s::regclass[]) AND contype IN ('p', 'u')",
        [list(WRITTEN)],
    ).fetchall()
    for table, name, definition in constraints:
        place = alter.format(sql.Identifier(table))
        drop = sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(name))
        add = sql.SQL("ADD CONSTRAINT {} {}").format(sql.Identifier(name), sql.SQL(definition))
        steps.append((place + drop, place + add))
    plain = database.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY (%s)"
        " AND indexname <> ALL (%s)",
        [list(WRITTEN), [name for _, name, _ in constraints]],
    ).fetchall()
    for name, definition in plain:
        drop = sql.SQL("DROP INDEX {}").format(sql.Identifier(name))
        steps.append((drop, sql.SQL("{}").format(sql.SQL(definition))))
    return steps


def grow_and_measure(
    run: Run, sizes: tuple[int, ...] = SIZES, *, known: Mapping[str, float]
) -> Iterator[Row]:
    """Measure B1 and B2 with so many payments behind them; a row each, named ``B1@10000``.

    ``known`` are ratios by such names, measured before on a machine like this one; one of a
    smaller size is compared with.
    """
    pay_everywhere(run)
    ratios = {name: ratio for name, ratio in known.items() if "@" in name}
    for size in sizes:
        click.echo(f"{size:,} past payments …", err=True)
        began = time.monotonic()
        load_past(run, size)
        loaded_s = time.monotonic() - began
        for measure in (b1, b2):
            row = measure(run)
            ratios[f"{row.name}@{size}"] = row.ratio
            sized = {int(n.split("@")[1]): r for n, r in ratios.items() if n.startswith(row.name)}
            yield _compare(row, size, sized[min(sized)], loaded_s=loaded_s)


def pay_everywhere(run: Run) -> None:
    """Let every shop take a payment, so that each has the account that the past needs."""
    for shop_id in run.product.shop_ids():
        requests = payments(run.product, run.codes, shop_id=shop_id)
        run_closed(run.product.port, requests, seconds=0.2, connections=1)
    wait_until_quiet(run.product, within_s=EVENTS_S)


def _compare(row: Row, size: int, least: float, *, loaded_s: float) -> Row:
    """Name a row for its size; its gate is what is left of the ratio with the least past.

    A row that is not whole misses it, however fast it was.
    """
    kept = row.ratio / least
    return replace(
        row,
        name=f"{row.name}@{size}",
        work=f"{row.work}, {size:,} payments before",
        gate=f"≥ {1 - LOSS_MAX:.2f} x the ratio with the least past ({kept:.2f}), nothing missing",
        gate_met=row.is_whole and kept >= 1 - LOSS_MAX,
        notes=(*row.notes, f"the past was there, and its books proven, after {loaded_s:.0f} s"),
    )
