"""One running product with its flows, its log, its checker, and what a fault needs to reach.

``Leg`` is the part of a run that works with one product; legs follow one another and share the
journal and the findings.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import psycopg

from bench import ending, post
from giftpad import local
from giftpad.coupons import jobs as coupon_jobs
from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.work import Scope
from giftpad.tenancy import find_tenant_by_slug
from tests.chaos import checker, gifts
from tests.chaos.checker import Checker, Findings
from tests.chaos.flows import Flows, Town, order_batch, take_papers
from tests.chaos.journal import Journal
from tests.chaos.line import Caller, Line
from tests.chaos.proxy import Proxy
from tests.flows.conftest import EVERYTHING, TENANT, Product, prepare_product
from tests.make import move_clock

BACK_WITHIN_S = 120.0
DEPOSIT_MINOR = 9_000_000_000_000
ALONE_UP_TO = """
    UPDATE gift_contracts SET terms = terms || '{"approve_above_minor": 9000000000000}'::jsonb
    FROM tenants t WHERE t.id = gift_contracts.tenant_id AND t.slug = %s
"""
"""A machine orders here, and no second person is there to approve."""
POLL_S = 0.05
BETWEEN_S, BETWEEN_LEAST = 1.5, 20
"""How long people pay from one fault to the next while payments are wanted, and how many then."""
FACE_MINOR = 10_000
SIZES = {"shared": 96, "counter": 24, "own": 16, "expired": 8, "soon": 8}
LONG_AGO, RECENTLY, EARLIER = (timedelta(days=-days) for days in (200, 150, 2))
"""Paper of these days has expired, or will within a few days: coupons live five months."""


def wait_for(condition: Callable[[], object], what: str, within_s: float = BACK_WITHIN_S) -> None:
    """Look until something is true; AssertionError where it does not become so in time.

    Raises: KeyboardInterrupt once this process was told to end, should the first have been lost.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if ending.told.is_set():
            raise KeyboardInterrupt
        assert time.monotonic() < deadline, f"waited {within_s} s in vain for {what}"
        time.sleep(POLL_S)


@dataclass(kw_only=True)
class Fault:
    """One fault as it went."""

    kind: str
    what: str
    back_s: float = 0.0
    pause_s: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Run:
    """What the legs of one run share."""

    journal: Journal
    found: Findings
    seed: int
    rate: float
    payments_wanted: int
    """Acknowledged payments of the whole run; until then people pay a while after each fault."""
    folder: Path
    """Where the servers of this run keep their data; removed at its end."""
    kept: Path
    """Where log, summary and the products' logs stay."""
    say: Callable[[str], None]
    faults: list[Fault] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)


class Leg:
    """A product under load.  Use as a context manager; leaving settles and proves it."""

    def __init__(
        self,
        run: Run,
        name: str,
        *,
        given: dict[str, str] | None = None,
        straight: dict[str, str] | None = None,
        superuser: str = "",
        pace: float = 1.0,
    ) -> None:
        self.run = run
        self.rate = run.rate * pace
        self.name = name
        self.journal = run.journal
        self.home = run.folder / name / "home"
        self.given = given or {}
        """Settings beside home and port; none means servers of the product's own."""
        self.straight = straight or {}
        """Settings by which this process reaches the servers past the proxies."""
        self.given_superuser = superuser
        self.callers: list[Caller] = []
        self.after = contextlib.ExitStack()
        self.office: post.Office
        """Whoever takes the product's letters; nobody kills it."""
        self.product: Product
        self.front: Proxy
        self.town: Town
        self.flows: Flows
        self.checker: Checker

    @property
    def superuser(self) -> str:
        """The administrator's way into the database, past the product and every proxy."""
        return self.given_superuser or self.product.superuser()

    @property
    def settings(self) -> Settings:
        """Settings for this process, straight to the servers."""
        own = {f"GIFTPAD_{name.upper()}": value for name, value in self.straight.items()}
        return local.embedded_settings(read_settings(self.product.environment | own))

    def __enter__(self) -> Self:
        begun = time.monotonic()
        self.home.parent.mkdir(parents=True, exist_ok=True)
        self.home.parent.chmod(0o755)  # the database's user must pass
        try:
            self.office = self.after.enter_context(post.running())
            self.product = prepare_product(self.home, **self.office.settings | self.given)
            # Before the start, which may be broken off.
            self.after.callback(ending.through, self._remove)
            self.product.must("up", "--detach")
            self.run.say(f"{self.name}: up after {time.monotonic() - begun:.0f} s")
            self._begin()
        except BaseException:
            self.after.close()
            raise
        self.run.say(f"{self.name}: flows at work after {time.monotonic() - begun:.0f} s")
        return self

    def _begin(self) -> None:
        self.front = Proxy(self.product.port, seed=self.run.seed)
        self.after.callback(self.front.close)
        checker.bind(self.settings)
        self.town = self._make_town()
        first = len(self.journal.entries)
        self.checker = Checker(
            self.superuser, self.journal, self.run.found, first=first, giver=self.town.giver
        )
        self.flows = Flows(self.town, self.journal, seed=self.run.seed, rate=self.rate)
        self.after.callback(self._cut_short)
        self.flows.start()
        wait_for(lambda: len(self.journal.entries) > first + 20, "the first payments")

    def _cut_short(self) -> None:
        """End the flows that have not ended, without an answer to what they have under way."""
        for caller in self.callers:
            caller.is_gone = True
        self.front.close()
        self.flows.end()

    def _remove(self) -> None:
        """End the product, also one whose start was broken off, and keep its logs."""
        self.product.run("down")
        logs = self.home / "logs"
        if logs.is_dir():
            shutil.copytree(logs, self.run.kept / f"logs-{self.name}", dirs_exist_ok=True)
        self.product.run("reset", "--yes")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if error is None:
                self.run.say(f"{self.name}: flows end; the last events and letters are waited for")
                self.flows.end()
                self.checker.settle()
                self.checker.check(self.callers, f"{self.name} has come to rest")
                self._prove_by_command()
                self.run.say(f"{self.name}: counted and proved; it is taken down")
        finally:
            self.after.close()

    def _prove_by_command(self) -> None:
        for words in (("ledger", "verify"), ("audit", "verify"), ("events", "reconcile")):
            done = self.product.run(*words)
            if done.returncode:
                text = f"giftpad {' '.join(words)}: {done.stderr[-400:]}"
                self.run.found.differences.append(text)
        dead = self.product.must("events", "dead")
        if "0 dead letters" not in dead:
            self.run.found.differences.append(dead[-400:])

    def _make_giver(self) -> gifts.Giver:
        caller = self._make_caller("gifts:order", "gifts:read", "catalog:read", tenant=gifts.TENANT)
        words = ("--tenant", gifts.TENANT, "--amount", str(DEPOSIT_MINOR), "--reference", "chaos")
        self.product.must("gifts", "deposit", *words)
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(ALONE_UP_TO, [gifts.TENANT])
        line = Line(caller, self.journal, f"{self.run.seed}-{self.name}-gifts")
        course = line.insist("GET", "/api/v1/catalog/courses").body["items"][0]
        line.close()
        return gifts.Giver(
            caller=caller, course_id=course["id"], office=self.office, port=self.front.port
        )

    def _make_caller(self, *permissions: str, shop_id: str = "", tenant: str = TENANT) -> Caller:
        words = ["client", "create", "--tenant", tenant, "--name", "chaos", "--json"]
        words += ["--rate", "100000", "--burst", "100000", "--failed-codes", "100000"]
        for permission in permissions:
            words += ["--permission", permission]
        words += ["--shop", shop_id] if shop_id else []
        client = json.loads(self.product.must(*words))
        number = len(self.run.notes.setdefault("callers", []))
        self.run.notes["callers"].append(number)
        caller = Caller(number=number, client=client, port=self.front.port)
        self.callers.append(caller)
        return caller

    def _make_town(self) -> Town:
        office = self._make_caller(*EVERYTHING)
        line = Line(office, self.journal, f"{self.run.seed}-{self.name}-setup")
        programme = line.insist("GET", "/api/v1/programmes").body["items"][0]
        shops = line.insist("GET", "/api/v1/shops?limit=100").body["items"]
        inside = next(shop for shop in shops if shop["area"] in programme["areas"])
        may = ("payments:accept", "payments:refund", "payments:read")
        town = Town(
            till=self._make_caller(*may, shop_id=inside["id"]),
            office=office,
            giver=self._make_giver(),
            programme_id=programme["id"],
            face_minor=FACE_MINOR,
            shared=[],
            counter=[],
            own=[],
            expired=[],
            desk=[],
        )
        self._let_shops_be_old()
        sizes = SIZES
        town.expired = self._print(line, town, sizes["expired"], LONG_AGO)
        town.desk = self._print(line, town, sizes["soon"], RECENTLY)
        # Not of today: the clock goes back by more than a day, and they are to be paid with then.
        papers = self._print(line, town, sizes["shared"] + sizes["counter"] + sizes["own"], EARLIER)
        town.shared, papers = papers[: sizes["shared"]], papers[sizes["shared"] :]
        town.counter, town.own = papers[: sizes["counter"]], papers[sizes["counter"] :]
        town.expects_expired = {paper.serial for paper in town.expired}
        line.close()
        return town

    def _let_shops_be_old(self) -> None:
        """Let the shops have been members for a year: the clock will go back, too."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute("UPDATE shop_facts SET starts_at = starts_at - interval '1 year'")

    def _print(self, line: Line, town: Town, count: int, at: timedelta = timedelta(0)) -> Any:
        """Issue coupons as they were issued on another day."""
        if at:
            move_clock(self.superuser, at)
        try:
            batch = order_batch(line, town, count, threading.Event())
        finally:
            if at:
                move_clock(self.superuser, timedelta(0))
        return take_papers(line, batch)

    def expire(self) -> None:
        """Run the hourly job that books what has expired."""
        tenant = find_tenant_by_slug(TENANT)
        assert tenant is not None
        coupon_jobs.expire_due(Scope(tenant_id=tenant.id))

    def state_of(self, part: str) -> dict[str, Any]:
        """Return what the supervisor has published of a part."""
        published = local.Home(self.home).read_state()
        return next((each for each in published.get("parts", []) if each["name"] == part), {})

    def pid_of(self, part: str) -> int:
        """Return the process of a part that is up."""
        wait_for(lambda: self.state_of(part).get("process"), f"{part} to run")
        return int(self.state_of(part)["process"]["pid"])

    def suffer(self, kind: str, what: str, hurt: Callable[[], dict[str, Any] | None]) -> Fault:
        """Let a fault happen with calls under way, wait for payments to go on, then check."""
        wait_for(lambda: self.journal.in_flight > 0, "calls under way")
        begun = time.monotonic()
        notes = {}
        try:
            notes = hurt() or {}
        except Exception as error:  # noqa: BLE001 - told at the end; the other faults still happen
            self.journal.complain(f"{kind} {what} went wrong: {type(error).__name__}: {error}")
        back_s = time.monotonic() - begun
        paid = self.journal.payments
        is_enough = paid >= self.run.payments_wanted
        wanted = BETWEEN_LEAST if is_enough else int(BETWEEN_S * self.rate)
        wait_for(lambda: self.journal.payments >= paid + wanted, f"payments after {kind} {what}")
        until = time.monotonic()
        fault = Fault(
            kind=kind,
            what=what,
            back_s=notes.pop("back_s", back_s),
            pause_s=self.journal.longest_pause_s(begun, until),
            notes=notes,
        )
        self.run.faults.append(fault)
        self.checker.check(self.callers, f"{kind} {what}")
        self.run.say(
            f"{kind:<11} {what:<28} back {fault.back_s:5.1f} s, pause {fault.pause_s:5.1f} s,"
            f" {self.journal.payments:>7} paid, checked in {self.run.found.check_s[-1]:.1f} s"
        )
        return fault


def kill(pid: int, signal_number: int = 9) -> None:
    """Send a signal; a process that is gone does not matter."""
    try:
        os.kill(pid, signal_number)
    except ProcessLookupError:
        return
