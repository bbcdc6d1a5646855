"""B7: gifts ordered over HTTP, issued and mailed, with people killed, providers hanging, and codes.

A product of its own sends to ``bench.post``, which counts at the provider's side.  Four things are
measured one after the other: how fast gifts are issued, beside COPY of the same rows; how fast
their letters leave, beside a bare loop of smtplib over one kept connection; what a provider of SMS
that is silent, slow or failing does to mail and to codes; who got what when every sender is killed
again and again.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import fmean

from bench import post
from bench.company import Company, Orders
from bench.machine import Meter
from bench.product import Product, fresh, wait_until_quiet
from bench.rows import Row, quantile
from bench.run import Run

MAIL_GATE, MAIL_STRETCH = 0.05, 0.15
ISSUE_GATE = 0.01
BESIDE_GATE = 0.8
FLAT = 1.25
CODES_P99_MAX_S = 2.0
SMS_PER_S = 20
KILLED_SHARE = 0.8
"""By when all kills have happened, of the letters of that leg."""
WAIT_S, LOOK_S, SETTLE_S = 1800.0, 0.1, 300.0
PEER = "peer.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of each."""

    small: int
    large: int
    beside: int
    killed: int
    kills: int
    texts: int
    peer: int
    manners: tuple[str, ...]


WHOLE = Size(
    small=10_000,
    large=100_000,
    beside=5_000,
    killed=10_000,
    kills=10,
    texts=300,
    peer=5_000,
    manners=("silent", "slow", "failing"),
)
SHORT = Size(
    small=200,
    large=2_000,
    beside=300,
    killed=600,
    kills=3,
    texts=30,
    peer=1_000,
    manners=("silent",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One lot of gifts, from the order over HTTP to the last letter at the provider."""

    orders: Orders
    issued_s: float
    """From the first order until the last gift was issued."""
    mailed_s: float
    """From the first letter at the provider to the last."""
    all_s: float

    @property
    def mails_per_s(self) -> float:
        """How many letters came a second, from the first to the last."""
        return self.orders.quantity / self.mailed_s

    @property
    def issued_per_s(self) -> float:
        """How many gifts were issued a second, the order itself counted in."""
        return self.orders.quantity / self.issued_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a provider of SMS in trouble did to mail and to codes."""

    well_per_s: float
    """Letters a second while it was well, with as many SMS and codes meanwhile."""
    per_s: Mapping[str, float]
    """Letters a second, by what the provider of SMS did meanwhile."""
    codes_s: list[float]
    """How long each code took from its question to the provider, sorted."""

    @property
    def worst(self) -> float:
        """The smallest share of its rate that mail kept."""
        return min(self.per_s.values()) / self.well_per_s


@dataclass(kw_only=True)
class Fates:
    """Who got what, when senders were killed; facts, and no times."""

    kills: int
    letters: int
    twice: list[str] = field(default_factory=list)
    none: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    resent: int = 0
    """How many of the unknown got a letter when somebody had it sent again."""
    texts_wrong: list[str] = field(default_factory=list)
    """Telephones whose SMS the provider does not have, or has under two keys."""
    most_texts: int = 0
    """The most SMS within any second."""

    @property
    def shortcomings(self) -> list[str]:
        """Return what must not be."""
        untold = [each for each in self.none if each not in self.unknown]
        found = {
            f"{len(self.twice)} people got two letters": bool(self.twice),
            f"{len(untold)} got none, and nobody knows of it": bool(untold),
            f"{len(self.unknown)} unknown by {self.kills} kills": len(self.unknown) > self.kills,
            f"{self.resent} of {len(self.unknown)} were sent again": (
                self.resent != len(self.unknown)
            ),
            f"{len(self.texts_wrong)} SMS that are not exactly one": bool(self.texts_wrong),
            f"{self.most_texts} SMS in a second": self.most_texts > SMS_PER_S,
        }
        return [text for text, is_so in found.items() if is_so]


@dataclass
class Bench:
    """The company, and whoever takes its letters."""

    company: Company
    office: post.Office
    size: Size
    hurried_at: float = 0.0
    """When the time was last let pass."""

    def wait(self, what: str, is_so: Callable[[], bool], within_s: float = WAIT_S) -> None:
        """Look until something is so.

        Raises: TimeoutError.
        """
        deadline = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(LOOK_S)

    def arrived(self, orders: Orders) -> Counter[str]:
        """Return how many letters of some orders each of their people has by now."""
        self.office.look()
        return Counter(to for _, to, _ in self.office.mails if to.startswith(f"{orders.name}-"))

    def send(self, name: str, quantity: int) -> Sent:
        """Send gifts by mail and wait for the last letter."""
        orders = self.company.order(name, quantity)
        self.wait("gifts issued", lambda: self.company.count_issued(orders) == quantity)
        issued_s = time.monotonic() - orders.ordered_at
        self.wait("letters", lambda: self.arrived(orders).total() >= quantity)
        instants = [at for at, to, _ in self.office.mails if to.startswith(f"{name}-")]
        twice = [to for to, count in self.arrived(orders).items() if count > 1]
        assert not twice, twice[:5]
        return Sent(
            orders=orders,
            issued_s=issued_s,
            mailed_s=instants[-1] - instants[0],
            all_s=instants[-1] - orders.ordered_at,
        )

    def beside(self) -> Beside:
        """Send mail beside SMS and codes, while the provider of SMS is well and while it is not."""
        well = [self._beside_well("before")]
        with self.company.codes() as asked:
            per_s = {manner: self._beside_sms(manner, manner) for manner in self.size.manners}
        well.append(self._beside_well("after"))
        self.office.look()
        came = {to: at for at, to, _ in reversed(self.office.mails)}
        waits = [came.get(to, float("inf")) - at for to, at in asked.items()]
        return Beside(well_per_s=fmean(well), per_s=per_s, codes_s=sorted(waits))

    def _beside_well(self, name: str) -> float:
        with self.company.codes():
            return self._beside_sms("fine", name)

    def _beside_sms(self, manner: str, name: str) -> float:
        """Return how many letters a second leave while SMS go to a provider of this manner."""
        self.office.be(manner)
        self.company.order(f"sms-{name}", self.size.texts, channel="sms")
        sent = self.send(f"by-{name}", self.size.beside)
        self.office.be("fine")
        return sent.mails_per_s

    def kill(self) -> Fates:
        """Kill every sender again and again while mail and SMS leave, then ask who got what."""
        size = self.size
        texts = self.company.order("text", size.texts, channel="sms")
        orders = self.company.order("kill", size.killed)
        killed = 0
        for step in range(1, size.kills + 1):
            wanted = int(KILLED_SHARE * size.killed * step / size.kills)
            self.wait("letters between kills", lambda: self.arrived(orders).total() >= wanted)  # noqa: B023 - asked at once
            killed += self.company.kill_senders()
        self._wait_closed(orders)
        fates = Fates(kills=killed, letters=orders.quantity)
        got = self.arrived(orders)
        unknown = self.company.unknown(orders)
        fates.unknown = set(unknown.values())
        fates.twice = [to for to, count in got.items() if count > 1]
        fates.none = [to for to in orders.addresses if not got[to]]
        fates.resent = self._send_again(orders, unknown, got)
        self._wait_closed(texts)
        self._judge_texts(fates)
        return fates

    def _wait_closed(self, orders: Orders) -> None:
        """Wait until no letter of some orders is on its way; let the time pass meanwhile."""

        def is_closed() -> bool:
            states = self.company.states(orders)
            if sum(states.values()) < orders.quantity:
                return False
            if states.keys() <= {"sent", "unknown"}:
                return True
            if not states.get("sending") and time.monotonic() > self.hurried_at + SETTLE_S / 30:
                self.hurried_at = time.monotonic()
                self.company.let_time_pass()
            return False

        self.wait(f"letters of {orders.name} to be closed", is_closed)

    def _send_again(self, orders: Orders, unknown: Mapping[str, str], got: Counter[str]) -> int:
        """Have each unknown letter sent again, as a person may; return how many arrived."""
        wait_until_quiet(self.company.product, within_s=SETTLE_S)
        for gift_id in unknown:
            self.company.ask("POST", f"/api/v1/gifts/{gift_id}/resend", {}, wanted=202)
        before = dict(got)

        def arrived() -> int:
            now = self.arrived(orders)
            return sum(now[to] == before.get(to, 0) + 1 for to in unknown.values())

        with contextlib.suppress(TimeoutError):
            self.wait("letters sent again", lambda: arrived() == len(unknown), SETTLE_S)
        return arrived()

    def _judge_texts(self, fates: Fates) -> None:
        """Each telephone has one SMS at the provider, and in no second were there too many."""
        self.office.look()
        keys = Counter(self.office.taken.values())
        names = ["text", *(f"sms-{manner}" for manner in self.size.manners)]
        for name in names:
            orders = Orders(name=name, quantity=self.size.texts, channel="sms")
            if name == "text":
                fates.texts_wrong += [to for to in orders.addresses if keys[to] != 1]
            else:  # those that wait for a better provider have none yet
                fates.texts_wrong += [to for to in orders.addresses if keys[to] > 1]
        fates.most_texts = post.most_in_a_second([at for at, _, _ in self.office.texts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that B7 found."""

    sent: Sent
    cpu_us: float
    cpu_of_parts: str
    memory_small_mb: float
    memory_mb: float
    copy_s: float
    peers_per_s: tuple[float, float]
    opened: int
    beside: Beside
    fates: Fates

    @property
    def mail_ratio(self) -> float:
        """Letters a second beside the bare loop's."""
        return self.sent.mails_per_s / fmean(self.peers_per_s)

    @property
    def issue_ratio(self) -> float:
        """Gifts issued a second beside COPY of the same rows."""
        return self.copy_s / self.sent.issued_s

    @property
    def growth(self) -> float:
        """Memory at most with many gifts beside that with few."""
        return self.memory_mb / self.memory_small_mb

    @property
    def codes_p99_s(self) -> float:
        """In how many seconds 99 of 100 codes were at the provider."""
        return quantile(self.beside.codes_s, 0.99) / 1000


def measure(product: Product, office: post.Office, size: Size) -> Measured:
    """Do all of it on one product that sends to ``office``."""
    bench = Bench(Company(product), office, size)
    bench.send("small", size.small)
    memory_small_mb = bench.company.memory_mb()
    peers = [office.peer_per_s(size.peer)]
    meter, opened = Meter(product.supervisor_pid(), product.parts()), office.opened
    sent = bench.send("large", size.large)
    wait_until_quiet(product, within_s=SETTLE_S)
    meter.read()
    memory_mb, opened = bench.company.memory_mb(), office.opened - opened
    peers.append(office.peer_per_s(size.peer))
    return Measured(
        sent=sent,
        cpu_us=meter.cpu_us(size.large),
        cpu_of_parts=meter.said(size.large),
        memory_small_mb=memory_small_mb,
        memory_mb=memory_mb,
        copy_s=bench.company.copy_seconds(sent.orders),
        peers_per_s=(peers[0], peers[1]),
        opened=opened,
        beside=bench.beside(),
        fates=bench.kill(),
    )


def measure_fresh(*, is_short: bool) -> Measured:
    """Do all of it on a product of its own."""
    with post.running() as office:
        settings: dict[str, object] = {**office.settings, "sms_rate_per_s": SMS_PER_S}
        with fresh(None, **settings) as product:
            return measure(product, office, SHORT if is_short else WHOLE)


def b7(run: Run) -> Row:
    """Send gifts, with everything that may go wrong meanwhile."""
    found = measure_fresh(is_short=run.is_short)
    size = SHORT if run.is_short else WHOLE
    gates = (
        found.mail_ratio >= MAIL_GATE,
        found.issue_ratio >= ISSUE_GATE,
        run.is_short or found.growth <= FLAT,
        found.codes_p99_s <= CODES_P99_MAX_S,
        found.beside.worst >= BESIDE_GATE,
        not found.fates.shortcomings,
    )
    return Row(
        name="B7",
        work=f"{size.large:,} gifts, ordered, issued and mailed",
        value=found.sent.mails_per_s,
        unit="/s",
        reference=fmean(found.peers_per_s),
        reference_what="bare smtplib, one connection",
        ratio=found.mail_ratio,
        p50_ms=quantile(found.beside.codes_s, 0.5),
        p99_ms=quantile(found.beside.codes_s, 0.99),
        cpu_us=found.cpu_us,
        memory_mb=found.memory_mb,
        gate=(
            f"letters ≥ {MAIL_GATE} x, gifts ≥ {ISSUE_GATE} x COPY, memory ≤ {FLAT} x,"
            f" codes within {CODES_P99_MAX_S:.0f} s, mail keeps ≥ {BESIDE_GATE} where SMS go badly,"
            " nobody two letters, none unknown to us"
        ),
        gate_met=all(gates),
        stretch=f"letters ≥ {MAIL_STRETCH:.2f} x",
        stretch_met=found.mail_ratio >= MAIL_STRETCH,
        is_whole=not found.fates.shortcomings,
        notes=_notes(found, size),
    )


def _notes(found: Measured, size: Size) -> tuple[str, ...]:
    sent, fates, beside = found.sent, found.fates, found.beside
    rates = ", ".join(f"{manner} {per_s:,.0f}/s" for manner, per_s in beside.per_s.items())
    return (
        (
            f"issued in {sent.issued_s:.1f} s from the first order over HTTP"
            f" ({sent.issued_per_s:,.0f}/s, letters left meanwhile); COPY of the same rows into"
            f" four tables {found.copy_s:.2f} s: {found.issue_ratio:.3g} x"
        ),
        f"the last letter was at the provider after {sent.all_s:,.0f} s",
        (
            f"bare smtplib {found.peers_per_s[0]:,.0f}/s before and"
            f" {found.peers_per_s[1]:,.0f}/s after, mails of the same size, one process;"
            f" two workers sent ours over {found.opened:,} connections"
        ),
        f"CPU of a gift: {found.cpu_of_parts}",
        (
            f"memory of all programs but the servers at most: {found.memory_small_mb:,.0f} MB with"
            f" {size.small:,} gifts, {found.memory_mb:,.0f} MB with {size.large:,}"
        ),
        (
            f"letters beside a provider of SMS that is: {rates}; well {beside.well_per_s:,.0f}/s:"
            f" {beside.worst:.2f} at worst"
        ),
        (f"p50 and p99: {len(beside.codes_s)} codes meanwhile, from the question to the provider"),
        (
            f"SMS within any second at most {fates.most_texts} of {SMS_PER_S}, counted at the"
            " provider"
        ),
        (
            f"{fates.kills} senders killed during {fates.letters:,} letters: {len(fates.twice)}"
            f" people got two, {len(fates.none)} none; {len(fates.unknown)} stood as unknown and"
            f" {fates.resent} of them got one when it was sent again; {len(fates.texts_wrong)} of"
            f" {size.texts} SMS were not exactly one"
        ),
        *(f"SHORT OF: {text}" for text in fates.shortcomings),
    )
