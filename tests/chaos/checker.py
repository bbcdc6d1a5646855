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

from giftpad import audit, events, gifts, ledger, payments, reporting, wiring
from giftpad.kernel.config import Settings
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.messaging.jobs import go_on_with_bulk
from giftpad.tenancy import list_tenants
from tests.chaos.gifts import Giver
from tests.chaos.journal import Entry, Journal
from tests.chaos.line import Caller, Line

REPLAYED = 5
PATIENCE_S = 300
SETTLED_WITHIN_S = 300.0
ASKED_AGAIN_MAX = 40
TRIES_MAX = 10
HURRY_AFTER_S = 5.0
ANALYSED_EVERY, ANALYSED_FIRST = 15, 5
"""After so many checks of a leg the tables are analysed; begun with this one."""

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
UNEVEN_ORDERS = """
SELECT o.number FROM gift_orders o
LEFT JOIN gifts g ON g.tenant_id = o.tenant_id AND g.order_id = o.id
LEFT JOIN ledger_accounts a ON a.tenant_id = g.tenant_id AND a.id = g.account_id
WHERE o.state IN ('issuing', 'sent', 'closed')
GROUP BY o.tenant_id, o.id, o.number, o.issued_to, o.quantity, o.value_minor
HAVING count(g.id) <> o.issued_to OR o.issued_to > o.quantity
    OR count(g.id) <> count(DISTINCT g.number) OR count(g.id) <> count(DISTINCT g.locator)
    OR sum(a.balance_minor) <> o.value_minor * count(*) FILTER (WHERE g.state = 'outstanding')
    OR count(g.id) <> count(*) FILTER (
        WHERE g.state IN ('outstanding', 'claimed', 'cancelled', 'expired'))
"""
"""Orders with a gift twice, one too many or one without its value; issued is the sum of fates."""
CLAIMED_TWICE = """
SELECT gift_id FROM gift_claims WHERE state <> 'withdrawn' GROUP BY tenant_id, gift_id
HAVING count(*) > 1
"""
OPEN_LETTERS = (
    "SELECT count(*) FROM messaging_messages WHERE due_at IS NOT NULL AND queue LIKE 'bulk%'"
)
LEAVE_NO_LETTER = """
UPDATE messaging_messages SET due_at = clock_now() - interval '1 second',
    leased_until = CASE WHEN state = 'sending' THEN clock_now() - interval '1 second' END
WHERE due_at IS NOT NULL AND queue LIKE 'bulk%'
"""
FREE_PLACES = "UPDATE messaging_lines SET held_until = NULL"
LETTER_STATES = """
SELECT m.state, count(*) FROM messaging_messages m WHERE m.queue = 'bulk-mail' GROUP BY m.state
"""
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
    letters: int = 0
    letters_unknown: int = 0
    uneven_orders: int = 0
    two_letters: int = 0
    differences: list[str] = field(default_factory=list)
    check_s: list[float] = field(default_factory=list)
    settle_s: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        numbers = (self.lost, self.doubled, self.drift_minor, self.negative, self.broken_chains)
        more = (self.other_answers, self.unreceipted, self.dead_letters)
        of_gifts = (self.uneven_orders, self.two_letters)
        return not any((*numbers, *more, *of_gifts)) and not self.differences


class Checker:
    """The checks of one product; ``found`` is shared by all of a run."""

    def __init__(
        self,
        superuser: str,
        journal: Journal,
        found: Findings,
        *,
        first: int,
        giver: Giver | None = None,
    ) -> None:
        self.superuser = superuser
        self.journal = journal
        self.found = found
        self.first = first
        """Entries of the journal before this one belong to another product."""
        self.giver = giver
        self.looked_up = first
        self.checks = 0
        self.chance = random.Random(first)

    def check(self, callers: Sequence[Caller], what: str) -> None:
        """Check all that must hold at any moment, while payments go on.

        A server that is not quite back yet is waited for.
        """
        begun = time.monotonic()
        self.checks += 1
        for attempt in range(1, TRIES_MAX + 1):
            try:
                if self.checks % ANALYSED_EVERY == ANALYSED_FIRST:
                    self._analyse()
                self._check(callers, what)
                break
            except (psycopg.OperationalError, Unavailable):
                if attempt == TRIES_MAX:
                    raise
                time.sleep(1)
        self.found.checks += 1
        self.found.check_s.append(time.monotonic() - begun)

    def _analyse(self) -> None:
        """Do what PostgreSQL does by itself where it lives for minutes.

        Killed, it forgets how many rows have changed, and questions are planned for empty tables.
        """
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute("ANALYZE")

    def _check(self, callers: Sequence[Caller], what: str) -> None:
        with psycopg.connect(self.superuser) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            # Before the snapshot: what is acknowledged by now must be in it.
            entries = self.journal.since(self.looked_up)
            self._count(connection, what)
            self._look_up(connection, entries, what)
            self._look_at_gifts(connection, entries, what)
        self._look_at_letters(what)
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

    def _look_at_gifts(
        self, connection: psycopg.Connection, entries: list[Entry], what: str
    ) -> None:
        """No order that was acknowledged is missing, and none has a gift twice or one too many."""
        said = [entry.id for entry in entries if entry.kind == "gift"]
        row = connection.execute(
            "SELECT count(*) FROM gift_orders WHERE id = ANY(%s::uuid[])", [said]
        ).fetchone()
        assert row is not None
        if row[0] != len(said):
            self.found.lost += len(said) - row[0]
            self.found.differences.append(f"after {what}: {len(said) - row[0]} gift orders lost")
        for name, statement in (("uneven", UNEVEN_ORDERS), ("claimed twice", CLAIMED_TWICE)):
            found = connection.execute(statement).fetchall()
            self.found.uneven_orders = max(self.found.uneven_orders, len(found))
            if found:
                self.found.differences.append(f"after {what}: {name}: {found[:5]}")

    def _look_at_letters(self, what: str) -> None:
        """Nobody has two letters: nobody here has one sent again."""
        if self.giver is None:
            return
        twice = [to for to, count in self.giver.letters().items() if count > 1]
        self.found.two_letters = max(self.found.two_letters, len(twice))
        if twice:
            self.found.differences.append(f"after {what}: two letters for {twice[:5]}")

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
                found = [*ledger.verify(work), *payments.verify(work), *gifts.verify(work)]
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
            if self.giver is not None:
                self._settle_letters(connection, self.giver)
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

    def _settle_letters(self, connection: psycopg.Connection, giver: Giver) -> None:
        """Let the last letter leave, then compare who got one with what the product says.

        Dead workers are waited for no longer than a living one takes: the clock was moved, and
        what one of them held by a clock that was ahead would wait for days.
        """
        begun = hurried = time.monotonic()
        while (waiting := connection.execute(OPEN_LETTERS).fetchone()[0]) > 0:
            if time.monotonic() - begun > 2 * SETTLED_WITHIN_S:
                self.found.differences.append(f"{waiting} letters did not leave")
                break
            if time.monotonic() - hurried > HURRY_AFTER_S:
                connection.execute(FREE_PLACES)
                connection.execute(LEAVE_NO_LETTER)
                for tenant in list_tenants():
                    go_on_with_bulk(Scope(tenant_id=tenant.id))
                hurried = time.monotonic()
            time.sleep(0.2)
        states = dict(connection.execute(LETTER_STATES).fetchall())
        got, unknown = len(giver.letters()), states.get("unknown", 0)
        self.found.letters += got
        self.found.letters_unknown += unknown
        if not states.get("sent", 0) <= got <= states.get("sent", 0) + unknown:
            self.found.differences.append(f"{got} people have a letter, and we say: {states}")

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
        said = {entry.id for entry in entries if entry.kind == "gift"}
        kept = {str(row[0]) for row in connection.execute("SELECT id FROM gift_orders")}
        self.found.doubled += len(kept - said)
        if said != kept:
            text = f"{len(said - kept)} gift orders missing, {len(kept - said)} unasked for"
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
