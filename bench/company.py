"""A company that sends gifts by the public route, and what became of each of them.

Hides: its contract, how many people one order takes, where the product writes things down.  It
orders over HTTP as a machine does; what it counts it reads past the product, as the administrator.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.machine import memory_mb
from bench.paper import copy_rows
from bench.product import ROOT, Product

TENANT = "hanamaru"
MAY = ("gifts:order", "gifts:read", "gifts:support", "catalog:read")
LETTERS = "tests.bench.letters"
"""The program that asks for codes, and wakes what waits for its minute."""
ORDER_MAX = 10_000
DEPOSIT_MINOR = 9_000_000_000_000
DOMAIN = "bench.example"
LOOK_S = 0.1
SENDERS = ("jobs-2", "jobs-3")
"""The workers that send bulk, on a machine as it comes."""
SERVERS = ("postgres", "redis")
_TERMS = """
    UPDATE gift_contracts SET terms = terms || '{"approve_above_minor": 9000000000000}'::jsonb
    FROM tenants t WHERE t.id = gift_contracts.tenant_id AND t.slug = %s
"""
_COUNT = """
    SELECT m.channel, m.state, count(*) FROM messaging_messages m
    JOIN gift_orders o ON o.tenant_id = m.tenant_id AND o.run_id = m.run_id
    WHERE o.id = ANY(%s::uuid[]) GROUP BY m.channel, m.state
"""
_ROWS = {
    "gifts": "order_id IN ({ids})",
    "messaging_messages": "run_id IN (SELECT run_id FROM gift_orders WHERE id IN ({ids}))",
    "ledger_accounts": "id IN (SELECT account_id FROM gifts WHERE order_id IN ({ids}))",
    "ledger_transfers": """kind = 'gift_issue'
        AND credit_id IN (SELECT account_id FROM gifts WHERE order_id IN ({ids}))""",
}
_OVER = (
    # What time would do, for whoever has no patience: nobody waits for a dead worker any more.
    "UPDATE messaging_lines SET held_until = NULL",
    """UPDATE messaging_messages SET due_at = now() - interval '1 second',
        leased_until = CASE WHEN state = 'sending' THEN now() - interval '1 second' END
        WHERE due_at IS NOT NULL AND queue IN ('bulk-mail', 'bulk-sms')""",
    "UPDATE event_outbox SET leased_until = NULL WHERE done_at IS NULL",
)


@dataclass(kw_only=True)
class Orders:
    """Orders for one purpose: ``name`` is the first part of each recipient's address."""

    name: str
    quantity: int
    channel: str
    ids: list[str] = field(default_factory=list)
    ordered_at: float = 0.0
    """When the first was sent, by the machine's steady clock."""

    @property
    def addresses(self) -> list[str]:
        """Return to whom each gift goes."""
        return [self.address(number) for number in range(self.quantity)]

    def address(self, number: int) -> str:
        """Return to whom one gift goes; each order has telephone numbers of its own."""
        if self.channel != "sms":
            return f"{self.name}-{number}@{DOMAIN}"
        return f"+8190{sum(map(ord, self.name)) % 1000:03d}{number:05d}"


@dataclass
class Company:
    """The company of the house's pack, with a contract that asks nobody and money for all."""

    product: Product

    def __post_init__(self) -> None:
        with self.product.connect() as database:
            database.execute(_TERMS, [TENANT])
        words = ("--tenant", TENANT, "--amount", str(DEPOSIT_MINOR), "--reference", "bench")
        self.product.run("gifts", "deposit", *words)

    @cached_property
    def token(self) -> str:
        """The token of a machine that may order."""
        return self.product.token(*MAY, tenant=TENANT)

    @cached_property
    def _course_id(self) -> str:
        return str(self.ask("GET", "/api/v1/catalog/courses")["items"][0]["id"])

    def ask(self, method: str, path: str, body: Any = None, *, wanted: int = 200) -> Any:
        """Ask the product as the company's machine."""
        return self.product.call(method, path, body, token=self.token, wanted=wanted)

    def order(self, name: str, quantity: int, *, channel: str = "mail") -> Orders:
        """Order gifts over HTTP, in orders of ten thousand at most; codes are one order."""
        made = Orders(name=name, quantity=quantity, channel=channel)
        body: dict[str, Any] = {
            "title": f"お歳暮 {name}",
            "design": "musubi",
            "sender_name": "株式会社はなまる",
            "message": "今年もたいへんお世話になりました。\n心ばかりの品をお贈りします。",
            "course_id": self._course_id,
        }
        made.ordered_at = time.monotonic()
        if channel == "code":
            answer = self.ask(
                "POST", "/api/v1/gift-orders", body | {"codes": {"count": quantity}}, wanted=202
            )
            made.ids.append(answer["id"])
            return made
        body["channel"] = channel
        column = {"mail": "mail", "sms": "phone", "link": "external_id"}[channel]
        for first in range(0, quantity, ORDER_MAX):
            numbers = range(first, min(first + ORDER_MAX, quantity))
            people = [{"name": f"{name}-{n}", column: made.address(n)} for n in numbers]
            answer = self.ask(
                "POST", "/api/v1/gift-orders", body | {"recipients": people}, wanted=202
            )
            made.ids.append(answer["id"])
        return made

    def count_issued(self, orders: Orders) -> int:
        """Return how many gifts there are by now."""
        with self.product.connect() as database:
            row = database.execute(
                "SELECT sum(issued_to) FROM gift_orders WHERE id = ANY(%s::uuid[])", [orders.ids]
            ).fetchone()
        assert row is not None
        return int(row[0])

    def states(self, orders: Orders) -> dict[str, int]:
        """Return how many letters of some orders stand in each state."""
        with self.product.connect() as database:
            rows = database.execute(_COUNT, [orders.ids]).fetchall()
        return {str(state): int(count) for _, state, count in rows}

    def unknown(self, orders: Orders) -> dict[str, str]:
        """Return the gifts that the product says perhaps got no letter: address by id."""
        found: dict[str, str] = {}
        for order_id in orders.ids:
            path = f"/api/v1/gift-orders/{order_id}/gifts?show=undelivered&limit=100"
            cursor: str | None = ""
            while cursor is not None:
                page = self.ask("GET", path + (f"&cursor={cursor}" if cursor else ""))
                cursor = page["next_cursor"]
                for gift in page["items"]:
                    assert gift["delivery"] == "unknown", gift
                    number = int(gift["name"].rpartition("-")[2])
                    found[gift["id"]] = orders.address(number)
            said = self.ask("GET", f"/api/v1/gift-orders/{order_id}")["progress"]
            counted = sum(1 for _ in found)
            assert said["perhaps_delivered"] <= counted, said
        return found

    def copy_seconds(self, orders: Orders) -> float:
        """Copy the rows of some orders into tables without keys; return the seconds."""
        ids = ", ".join(f"'{each}'" for each in orders.ids)
        return copy_rows(
            self.product, {table: where.format(ids=ids) for table, where in _ROWS.items()}
        )

    def kill_senders(self) -> int:
        """Kill all that send bulk, as a machine that dies does, and let the time pass; how many.

        Nobody is alive then whose message could be taken from him.
        """
        killed = 0
        for pid in self.product.pids(*SENDERS):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        self.let_time_pass()
        return killed

    def let_time_pass(self) -> None:
        """End every lease and every pause of bulk, and wake it."""
        with self.product.connect() as database:
            for statement in _OVER:
                database.execute(statement)
        self.product.run("wake", "--tenant", TENANT, module=LETTERS)

    def memory_mb(self) -> float:
        """Return the most that all programs but the servers have held so far."""
        parts = self.product.parts().items()
        return sum(memory_mb(pid) for name, pid in parts if name not in SERVERS)

    @contextlib.contextmanager
    def codes(self) -> Iterator[dict[str, float]]:
        """Ask for codes by mail all the time; at the end, when each was asked for, by its address.

        An instant is taken when the question was committed.
        """
        asked: dict[str, float] = {}
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", LETTERS, "codes", "--tenant", TENANT],
            cwd=ROOT,
            env=self.product.environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for whoever started it
        )
        assert process.stdout is not None
        process.stdout.readline()  # it is ready
        told = ""
        try:
            yield asked
        finally:
            told, _ = process.communicate("")
        for line in told.splitlines():
            at, to = line.split()
            asked[to] = float(at)
