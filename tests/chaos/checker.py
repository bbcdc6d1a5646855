"""After each fault: does every yen, every answer and every event stand where it must.

The sums are this file's own SQL, read past the product as superuser in one snapshot; beside them
the product proves itself, by the same functions as ``giftpad ledger verify``, ``audit verify``
and ``events reconcile``.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg

from giftpad import audit, events, ledger, payments, reporting, wiring
from giftpad.kernel.config import Settings
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy import list_tenants
from tests.chaos.journal import Entry, Journal
from tests.chaos.line import Caller, Line

REPLAYED = 5
PATIENCE_S = 300
SETTLED_WITHIN_S = 300.0
ASKED_AGAIN_MAX = 40
TRIES_MAX = 10

DRIFT = """
SELECT COALESCE(sum(balance_minor), 0) - (
    SELECT COALESCE(sum(amount_minor) FILTER (WHERE t.credit_seq IS NOT NULL), 0)
         - COALESCE(sum(amount_minor) FILTER (WHERE t.debit_seq IS NOT NULL), 0)
    FROM ledger_transfers t)
FROM ledger_accounts
"""
NEGATIVE = "SELECT count(*) FROM ledger_accounts WHERE balance_minor < 0"
BROKEN_CHAINS = """
SELECT count(*) FROM (
    SELECT after - signed - COALESCE(lag(after) OVER steps, 0) AS gap,
        seq - COALESCE(lag(seq) OVER steps, 0) AS step
    FROM (
        SELECT credit_id AS account, amount_minor AS signed, credit_after_minor AS after,
            credit_seq AS seq FROM ledger_transfers WHERE credit_seq IS NOT NULL
        UNION ALL
        SELECT debit_id, -amount_minor, debit_after_minor, debit_seq
        FROM ledger_transfers WHERE debit_seq IS NOT NULL
    ) moved
    WINDOW steps AS (PARTITION BY account ORDER BY seq)
) chain WHERE gap <> 0 OR step <> 1
"""
DONE_WITHOUT_RECEIPT = """
SELECT count(*) FROM event_outbox o WHERE o.done_at IS NOT NULL
    AND o.name = ANY (%s) AND NOT EXISTS (
        SELECT 1 FROM event_inbox i WHERE i.tenant_id = o.tenant_id AND i.event_id = o.id)
"""
DEAD = "SELECT count(*) FROM event_inbox WHERE outcome = 'dead'"
PENDING = "SELECT count(*) FROM event_outbox WHERE done_at IS NULL"
FOUND = """
SELECT count(*) FROM unnest(%s::uuid[], %s::bigint[]) AS said (id, amount)
JOIN {table} p ON p.id = said.id AND p.amount_minor = said.amount
"""
TABLES = {"pay": "payment_payments", "void": "payment_reversals", "refund": "payment_reversals"}
HEARD = [
    "payment.captured_v1",
    "payment.voided_v1",
    "payment.refunded_v1",
]


@dataclass
class Findings:
    """What all checks of a run found; zeros are what is promised."""

    checks: int = 0
    lost: int = 0
    doubled: int = 0
    drift_minor: int = 0
    negative: int = 0
    broken_chains: int = 0
    other_answers: int = 0
    replayed: int = 0
    unreceipted: int = 0
    dead_letters: int = 0
    differences: list[str] = field(default_factory=list)
    check_s: list[float] = field(default_factory=list)
    settle_s: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        numbers = (self.lost, self.doubled, self.drift_minor, self.negative, self.broken_chains)
        more = (self.other_answers, self.unreceipted, self.dead_letters)
        return not any(numbers) and not any(more) and not self.differences


class Checker:
    """The checks of one product; ``found`` is shared by all of a run."""

    def __init__(self, superuser: str, journal: Journal, found: Findings, *, first: int) -> None:
        self.superuser = superuser
        self.journal = journal
        self.found = found
        self.first = first
        """Entries of the journal before this one belong to another product."""
        self.looked_up = first
        self.chance = random.Random(first)

    def check(self, callers: Sequence[Caller], what: str) -> None:
        """Check all that must hold at any moment, while payments go on.

        A server that is not quite back yet is waited for.
        """
        begun = time.monotonic()
        for attempt in range(1, TRIES_MAX + 1):
            try:
                self._check(callers, what)
                break
            except (psycopg.OperationalError, Unavailable):
                if attempt == TRIES_MAX:
                    raise
                time.sleep(1)
        self.found.checks += 1
        self.found.check_s.append(time.monotonic() - begun)

    def _check(self, callers: Sequence[Caller], what: str) -> None:
        with psycopg.connect(self.superuser) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            # Before the snapshot: what is acknowledged by now must be in it.
            entries = self.journal.since(self.looked_up)
            self._count(connection, what)
            self._look_up(connection, entries, what)
        self.looked_up += len(entries)
        self._replay(callers, what)
        self._let_product_prove_itself(what)

    def _count(self, connection: psycopg.Connection, what: str) -> None:
        def one(statement: str, *values: object) -> int:
            row = connection.execute(statement, values or None).fetchone()
            assert row is not None
            return int(row[0])

        numbers = {
            "drift_minor": abs(one(DRIFT)),
            "negative": one(NEGATIVE),
            "broken_chains": one(BROKEN_CHAINS),
            "unreceipted": one(DONE_WITHOUT_RECEIPT, HEARD),
            "dead_letters": one(DEAD),
        }
        for name, number in numbers.items():
            setattr(self.found, name, max(getattr(self.found, name), number))
            if number:
                self.found.differences.append(f"after {what}: {name} {number}")

    def _look_up(self, connection: psycopg.Connection, entries: list[Entry], what: str) -> None:
        for kind, table in TABLES.items():
            said = [(entry.id, entry.amount_minor) for entry in entries if entry.kind == kind]
            if not said:
                continue
            ids, amounts = zip(*said, strict=True)
            statement = FOUND.format(table=table)
            row = connection.execute(statement, [list(ids), list(amounts)]).fetchone()
            assert row is not None
            if row[0] != len(said):
                self.found.lost += len(said) - row[0]
                self.found.differences.append(f"after {what}: {len(said) - row[0]} {kind} lost")

    def _replay(self, callers: Sequence[Caller], what: str) -> None:
        for entry in self.journal.sample(self.chance, REPLAYED, first=self.first):
            caller = next(each for each in callers if each.number == entry.caller)
            line = Line(caller, self.journal, "replay")
            for _ in range(ASKED_AGAIN_MAX):
                try:
                    status, answer = line.send(entry.method, entry.path, entry.body, entry.key)
                except (OSError, http.client.HTTPException):
                    continue
                if status < 300 or (status not in (401, 409, 429, 503)):
                    self.found.replayed += 1
                    if (status, as_json(answer)) != (entry.status, as_json(entry.answer)):
                        self.found.other_answers += 1
                        text = f"after {what}: {entry.key} answered {status} {answer[:200]!r}"
                        self.found.differences.append(text)
                    break
                line.pause.wait(0.1)
            line.close()

    def _let_product_prove_itself(self, what: str) -> None:
        for tenant in list_tenants():
            scope = Scope(tenant_id=tenant.id)
            with unit_of_work(scope, patience_s=PATIENCE_S) as work:
                found = [*ledger.verify(work), *payments.verify(work)]
                found += reporting.check_figures(work)
            with unit_of_work(scope, patience_s=PATIENCE_S) as work:
                broken = audit.verify(work)
            self.found.differences += [f"after {what}: {tenant.slug}: {each}" for each in found]
            if broken is not None:
                self.found.differences.append(f"after {what}: audit of {tenant.slug}: {broken}")

    def settle(self) -> None:
        """With the flows at rest: wait for the last event, then count both sides exactly."""
        begun = time.monotonic()
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            while (pending := connection.execute(PENDING).fetchone()[0]) > 0:
                if time.monotonic() - begun > SETTLED_WITHIN_S:
                    self.found.differences.append(f"{pending} events did not arrive")
                    break
                time.sleep(0.2)
            self.found.settle_s.append(time.monotonic() - begun)
            self._count_doubles(connection)
        for tenant in list_tenants():
            with unit_of_work(Scope(tenant_id=tenant.id), patience_s=PATIENCE_S) as work:
                missing = events.reconcile(work, grace=timedelta(0))
            if missing:
                text = f"{tenant.slug}: {len(missing)} events without a receipt"
                self.found.differences.append(text)

    def _count_doubles(self, connection: psycopg.Connection) -> None:
        """Compare what is kept with what was acknowledged: nothing more, nothing less."""
        entries = self.journal.since(self.first)
        for table in sorted(set(TABLES.values())):
            said = {entry.id for entry in entries if TABLES.get(entry.kind) == table}
            kept = {str(row[0]) for row in connection.execute(f"SELECT id FROM {table}")}
            self.found.lost += len(said - kept)
            self.found.doubled += len(kept - said)
            if said != kept:
                text = f"{table}: {len(said - kept)} missing, {len(kept - said)} unasked for"
                self.found.differences.append(text)
        history = connection.execute("SELECT count(*) FROM payment_history").fetchone()[0]
        told = sum(entry.kind in TABLES for entry in entries)
        if history != told:
            self.found.differences.append(f"history has {history} rows for {told} facts")


def as_json(answer: bytes) -> object:
    """Read an answer; the order of an object's members does not matter."""
    try:
        return json.loads(answer)
    except ValueError:
        return answer


def bind(settings: Settings) -> None:
    """Let this process prove the books of a product, as its command line would."""
    wiring.bootstrap(settings)
