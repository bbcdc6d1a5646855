"""Six flows that go on all the time, each in threads of its own, whatever is killed.

1. tills: pay by QR from coupons that all tills share;
2. counter: look a typed code up, then pay with it;
3. returns: pay, then void or refund, on coupons of one thread, so that it knows every balance;
4. office: order, print, release; block, unblock, replace; what is blocked or replaced pays nothing;
5. desk: read lists and coupons; what has expired pays nothing, what has not expired pays;
6. gifts: order, open, claim, thank, take back (``tests.chaos.gifts``).
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.gifts import Giver, give
from tests.chaos.journal import Journal
from tests.chaos.line import Caller, Line, Unanswered
from tests.make_coupons import read_paper

READY_WITHIN_S = 240.0
LOOK_S = 0.3
OFFICE_QUANTITY = 8
EMPTY = "payment.insufficient_balance"
LOCATOR = slice(-31, -23)
"""Where the locator stands in a QR text; locators grow with serials."""


class NotActiveYet(Exception):
    """A coupon's first day has not come."""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """A coupon in somebody's hand."""

    qr: str
    typed: str
    serial: str


@dataclass(kw_only=True)
class Town:
    """What the flows work with: coupons by purpose, the programme, the callers."""

    till: Caller
    office: Caller
    giver: Giver
    programme_id: str
    face_minor: int
    shared: list[Paper]
    counter: list[Paper]
    own: list[Paper]
    expired: list[Paper]
    desk: list[Paper]
    clock_lock: threading.Lock = field(default_factory=threading.Lock)
    """Held while the clock is set or while something is judged by it."""
    expects_expired: set[str] = field(default_factory=set)
    clock_moves: int = 0


class Flows:
    """The threads, their pace, and their end."""

    def __init__(self, town: Town, journal: Journal, *, seed: int, rate: float) -> None:
        self.town = town
        self.journal = journal
        self.seed = seed
        self.stop = threading.Event()
        kinds = [self._till] * 4 + [self._counter] * 2 + [self._returns] * 2
        kinds += [self._office, self._desk, self._gifts]
        self.payers = 8
        self.think_s = self.payers / rate
        self.threads = [
            threading.Thread(target=self._run, args=(kind, number), name=f"flow-{number}")
            for number, kind in enumerate(kinds)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self.threads:
            thread.start()

    def end(self) -> None:
        """Finish what has begun, and stop."""
        self.stop.set()
        for thread in self.threads:
            if thread.is_alive():
                thread.join()

    def _run(self, flow: Any, number: int) -> None:
        line_till = Line(self.town.till, self.journal, f"{self.seed}-{number}")
        line_office = Line(self.town.office, self.journal, f"{self.seed}-{number}o")
        chance = random.Random(self.seed * 100 + number)
        try:
            for step in flow(line_till, line_office, chance, number):
                if step:
                    self.stop.wait(step * chance.uniform(0.5, 1.5))
                if self.stop.is_set():
                    break
        except Unanswered:
            pass
        except Exception as error:  # noqa: BLE001 - a flow that ends early must be told
            self.journal.complain(f"flow {number} broke: {type(error).__name__}: {error}")
        finally:
            line_till.close()
            line_office.close()

    def _gifts(self, _till: Line, _office: Line, _chance: random.Random, number: int) -> Any:
        line = Line(self.town.giver.caller, self.journal, f"{self.seed}-{number}g")
        try:
            yield from give(line, self.town.giver, self.stop)
        finally:
            line.close()

    def _pay(self, line: Line, code: str, amount: int) -> Any:
        order = {"instrument": {"kind": "coupon", "code": code}, "amount_minor": amount}
        return line.insist("POST", "/api/v1/payments", order, key=line.new_key(), kind="pay")

    def _till(self, line: Line, _office: Line, chance: random.Random, _number: int) -> Any:
        while True:
            paper = chance.choice(self.town.shared)
            answer = self._pay(line, paper.qr, chance.randint(1, 3))
            self._want(answer, {"", EMPTY}, paper)
            yield self.think_s

    def _counter(self, line: Line, _office: Line, chance: random.Random, _number: int) -> Any:
        while True:
            paper = chance.choice(self.town.counter)
            asked = {"instrument": {"kind": "coupon", "code": paper.typed}}
            looked = line.insist("POST", "/api/v1/instruments/lookup", asked)
            if looked.status == 200 and looked.body["balance_minor"] > 0:
                answer = self._pay(line, paper.typed, 1)
                self._want(answer, {"", EMPTY}, paper)
            yield self.think_s

    def _want(self, answer: Any, codes: set[str], paper: Paper) -> None:
        if answer.code not in codes and not (
            answer.code == "instrument.expired" and paper.serial in self.town.expects_expired
        ):
            self.journal.complain(f"{paper.serial}: {answer.status} {answer.body}")

    def _returns(self, line: Line, _office: Line, chance: random.Random, number: int) -> Any:
        papers = self.town.own[number % 2 :: 2]
        balances = dict.fromkeys((paper.serial for paper in papers), self.town.face_minor)
        while True:
            paper = chance.choice(papers)
            if balances[paper.serial] < 10:
                yield self.think_s
                continue
            amount = chance.randint(2, 9)
            paid = self._pay(line, paper.qr, amount)
            self._same(paid, 201, balances[paper.serial] - amount, paper)
            yield self.think_s
            if paid.status != 201:
                continue
            balances[paper.serial] -= amount
            kind = chance.choice(["void", "refund", "keep"])
            if kind != "keep":
                back = self._give_back(line, paid.body["id"], kind, amount)
                given = back.body.get("amount_minor", 0)
                balances[paper.serial] += given
                self._same(back, 201, balances[paper.serial], paper)
            yield self.think_s

    def _give_back(self, line: Line, payment_id: str, kind: str, amount: int) -> Any:
        path = f"/api/v1/payments/{payment_id}"
        content = {} if kind == "void" else {"amount_minor": amount // 2}
        given = line.insist("POST", f"{path}/{kind}", content, key=line.new_key(), kind=kind)
        if given.code == "payment.void_too_late":  # the clock was moved over midnight
            content = {"amount_minor": amount}
            key = line.new_key()
            return line.insist("POST", f"{path}/refund", content, key=key, kind="refund")
        return given

    def _same(self, answer: Any, status: int, balance: int, paper: Paper) -> None:
        if answer.status != status or answer.body.get("balance_minor") != balance:
            self.journal.complain(
                f"{paper.serial}: {answer.status} {answer.body}, and {balance} were to be left"
            )

    def _office(self, till: Line, line: Line, chance: random.Random, _number: int) -> Any:
        while True:
            moves = self.town.clock_moves
            try:
                yield from self._round(till, line)
            except NotActiveYet:  # issued by a clock that was ahead and has been set back since
                if self.town.clock_moves == moves:
                    self.journal.complain("a coupon of today is not active yet")
            self.journal.note("office rounds")
            yield chance.uniform(0.5, 2)

    def _round(self, till: Line, line: Line) -> Any:
        batch = order_batch(line, self.town, OFFICE_QUANTITY, self.stop)
        if batch is None:
            return
        papers = take_papers(line, batch)
        for paper in papers[:2]:
            self._expect(self._pay(till, paper.qr, 5), "", paper)
        yield 0.2
        self._turn(line, papers[0], "block")
        self._expect(self._pay(till, papers[0].qr, 1), "instrument.blocked", papers[0])
        self._turn(line, papers[0], "unblock")
        self._expect(self._pay(till, papers[0].qr, 1), "", papers[0])
        yield 0.2
        successor = self._replace(line, papers[1])
        self._expect(self._pay(till, papers[1].qr, 1), "instrument.replaced", papers[1])
        ready = wait_ready(line, successor["id"], self.stop)
        if ready is None:
            return
        new = take_papers(line, ready)[0]
        paid = self._pay(till, new.typed, 1)
        self._expect(paid, "", new)
        self._same(paid, 201, self.town.face_minor - 6, new)

    def _expect(self, answer: Any, code: str, paper: Paper) -> None:
        if answer.code == "instrument.not_active":
            raise NotActiveYet
        self._want(answer, {code}, paper)

    def _turn(self, line: Line, paper: Paper, verb: str) -> None:
        path = f"/api/v1/coupons/{paper.serial}/{verb}"
        done = line.insist("POST", path, {"reason": "chaos"})
        if done.status != 200 and not (done.is_repeat and done.code == "coupon.wrong_state"):
            self.journal.complain(f"{path}: {done.status} {done.body}")

    def _replace(self, line: Line, paper: Paper) -> Any:
        path = f"/api/v1/coupons/{paper.serial}/replace"
        done = line.insist("POST", path, {"reason": "lost"}, key=line.new_key(), kind="office")
        if done.status != 202:
            self.journal.complain(f"{path}: {done.status} {done.body}")
        return done.body

    def _desk(self, till: Line, line: Line, chance: random.Random, _number: int) -> Any:
        town = self.town
        while True:
            serial = chance.choice(town.shared).serial
            seen = line.insist("GET", f"/api/v1/coupons/{serial}")
            if seen.status != 200 or not 0 <= seen.body["balance_minor"] <= town.face_minor:
                self.journal.complain(f"coupon {serial}: {seen.status} {seen.body}")
            line.insist("GET", "/api/v1/payments?limit=20")
            yield 0.1
            with town.clock_lock:
                for paper in (chance.choice(town.expired), chance.choice(town.desk)):
                    over = paper.serial in town.expects_expired
                    right = {"instrument.expired"} if over else {"", EMPTY}
                    answer = self._pay(till, paper.qr, 1)
                    if answer.code not in right:
                        self.journal.complain(f"{paper.serial} by the clock: {answer.body}")
                    self.journal.note("by the clock")
            yield 0.3


def order_batch(line: Line, town: Town, quantity: int, stop: threading.Event) -> Any:
    """Order a batch, wait until it is printed, release it; None when it is to end meanwhile."""
    order = {
        "programme_id": town.programme_id,
        "quantity": quantity,
        "face_value_minor": town.face_minor,
        "template": "coupon_a4_8up",
    }
    key = line.new_key()
    batch = line.insist("POST", "/api/v1/coupon-batches", order, key=key, kind="office").body
    if wait_ready(line, batch["id"], stop) is None:
        return None
    path = f"/api/v1/coupon-batches/{batch['id']}/release"
    return line.insist("POST", path, {}, key=line.new_key(), kind="office").body


def wait_ready(line: Line, batch_id: str, stop: threading.Event) -> Any:
    """Look at a batch until its print files are there; None when it is to end meanwhile."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not stop.is_set():
        batch = line.insist("GET", f"/api/v1/coupon-batches/{batch_id}").body
        if batch["state"] in ("ready", "released") and all(
            volume["state"] == "ready" for volume in batch["volumes"]
        ):
            return batch
        if batch["state"] == "failed" or time.monotonic() > deadline:
            line.journal.complain(f"batch {batch_id}: {batch['state']} {batch['failure_text']}")
            raise Unanswered(batch_id)
        stop.wait(LOOK_S)
    return None


def take_papers(line: Line, batch: Any) -> list[Paper]:
    """Read a batch's coupons from its drawn pages, as a person with a phone does."""
    pdf = line.insist("GET", f"/api/v1/coupon-batches/{batch['id']}/pdf?volume=1")
    prefix, _, first = batch["serial_first"].rpartition("-")
    read = sorted(read_paper(pdf.body), key=lambda paper: paper[0][LOCATOR])
    return [
        Paper(qr=qr, typed=typed, serial=f"{prefix}-{int(first) + place}")
        for place, (qr, typed) in enumerate(read)
    ]
