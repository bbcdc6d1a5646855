"""Counts and times of this process, cheap enough for every request, read by Prometheus.

Hides: how the numbers of many processes come together.  Each process adds up in plain memory and
writes what it has into a small file of its own every two seconds; ``read_all`` adds the files of
a folder.  No file is mapped into memory: a full disk then costs the figures and not the process.
``kill -9`` loses at most the last two seconds.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import socket
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

WRITE_EVERY_S = 2.0
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper edges of the classes of a time, in seconds; one more class holds what is longer."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "OTHER"

Labels = tuple[str, ...]


@dataclass(slots=True)
class Times:
    """How often something took how long; ``counts`` by class of ``BOUNDS_S``, not cumulated."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def add(self, other: Times) -> None:
        """Take over what another has counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.sum_s += other.sum_s

    def less(self, other: Times) -> Times:
        """Return what came in since ``other`` was read of the same."""
        counts = [max(a - b, 0) for a, b in zip(self.counts, other.counts, strict=True)]
        return Times(counts=counts, sum_s=max(self.sum_s - other.sum_s, 0.0))

    def at_most_s(self, share: float) -> float | None:
        """Return the upper edge of the class in which ``share`` of all lies; None without any.

        >>> Times(counts=[9, 1] + [0] * 10).at_most_s(0.95)
        0.01
        """
        if not self.count:
            return None
        wanted, seen = share * self.count, 0
        for number, count in enumerate(self.counts):
            seen += count
            if seen >= wanted and count:
                return BOUNDS_S[min(number, len(BOUNDS_S) - 1)]
        return BOUNDS_S[-1]


@dataclass(slots=True)
class Counted:
    """Everything that was counted, by the metric's name and the values of its labels."""

    counters: dict[str, dict[Labels, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    times: dict[str, dict[Labels, Times]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Times))
    )

    def add(self, other: Counted) -> None:
        """Take over what another process has counted."""
        for name, counts in other.counters.items():
            for labels, count in counts.items():
                self.counters[name][labels] += count
        for name, series in other.times.items():
            for labels, times in series.items():
                self.times[name][labels].add(times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a metric is called, what it says, what tells its series apart."""

    name: str
    help: str
    labels: tuple[str, ...]


COUNTERS = (
    Declared(
        name="giftpad_http_requests_total",
        help="Requests answered.",
        labels=("method", "route", "status"),
    ),
    Declared(
        name="giftpad_tenant_faults_total",
        help="Answers of 500 and above to callers of a tenant.",
        labels=("tenant",),
    ),
    Declared(
        name="giftpad_payments_total",
        help="Payments asked for: captured, repeated, or the code of the refusal.",
        labels=("outcome",),
    ),
    Declared(
        name="giftpad_refused_total",
        help="Requests turned away before any work was done for them, by reason.",
        labels=("why",),
    ),
    Declared(
        name="giftpad_handled_total",
        help="Events that a handler took, failed on or gave up.",
        labels=("handler", "outcome"),
    ),
)
TIMES = (
    Declared(
        name="giftpad_http_request_seconds",
        help="Time from the first look at a request to its answer.",
        labels=("route",),
    ),
    Declared(
        name="giftpad_tenant_request_seconds",
        help="The same by the caller's tenant.",
        labels=("tenant",),
    ),
    Declared(
        name="giftpad_handled_seconds",
        help="Time one delivery to a handler took.",
        labels=("handler",),
    ),
)

_lock = threading.Lock()
_own = Counted()
_requests = _own.counters["giftpad_http_requests_total"]
_faults = _own.counters["giftpad_tenant_faults_total"]
_payments = _own.counters["giftpad_payments_total"]
_refused = _own.counters["giftpad_refused_total"]
_handled = _own.counters["giftpad_handled_total"]
_request_times: dict[str, Times] = defaultdict(Times)
_tenant_times: dict[str, Times] = defaultdict(Times)
_handled_times = _own.times["giftpad_handled_seconds"]


def note_request(route: str, method: str, status: int, seconds: float, *, tenant: str = "") -> None:
    """Count one answered request; ``route`` is its rule and never its path, "" where it has none.

    ``tenant`` is the caller's slug, where the caller is known.
    """
    if method not in METHODS:
        method = OTHER
    number = bisect_left(BOUNDS_S, seconds)
    with _lock:
        _requests[method, route, str(status)] += 1
        times = _request_times[route]
        times.counts[number] += 1
        times.sum_s += seconds
        if tenant:
            times = _tenant_times[tenant]
            times.counts[number] += 1
            times.sum_s += seconds
            if status >= 500:  # noqa: PLR2004 - where the fault is ours
                _faults[tenant,] += 1


def note_payment(outcome: str) -> None:
    """Count one payment that was asked for: "captured", "repeated" or the refusal's code."""
    with _lock:
        _payments[outcome,] += 1


def note_refused(why: str) -> None:
    """Count one request that was turned away before any work was done for it."""
    with _lock:
        _refused[why,] += 1


def note_handled(handler: str, outcome: str, count: int) -> None:
    """Count events that a handler took ("done"), "failed" on, or gave up ("dead")."""
    if count:
        with _lock:
            _handled[handler, outcome] += count


def note_delivery(handler: str, seconds: float) -> None:
    """Count one delivery to a handler, of however many events, and the time it took."""
    number = bisect_left(BOUNDS_S, seconds)
    with _lock:
        times = _handled_times[handler,]
        times.counts[number] += 1
        times.sum_s += seconds


def own_counts() -> Counted:
    """Return what this process has counted so far."""
    with _lock:
        found = Counted()
        found.add(_own)
        for name, held in (
            ("giftpad_http_request_seconds", _request_times),
            ("giftpad_tenant_request_seconds", _tenant_times),
        ):
            for label, times in held.items():
                found.times[name][label,].add(times)
    return found


def folder_of(home: Path) -> Path:
    """Return where the processes of a data folder leave their counts."""
    return home / "metrics"


class _Publisher:
    """The thread that writes this process's counts down."""

    thread: threading.Thread | None = None


def publish(folder: Path) -> None:
    """Write this process's counts into ``folder`` from now on; only the first call counts.

    What cannot be written is left out: no request fails for a figure.
    """
    if _Publisher.thread is not None:
        return
    name = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns():x}.json"
    path = folder / name
    stop = threading.Event()

    def keep_writing() -> None:
        last = b""
        while not stop.wait(WRITE_EVERY_S):
            last = _write(path, last)

    def end() -> None:
        stop.set()
        _write(path, b"")

    _Publisher.thread = threading.Thread(target=keep_writing, name="metrics", daemon=True)
    _Publisher.thread.start()
    atexit.register(end)


def _write(path: Path, last: bytes) -> bytes:
    """Replace a file by what has been counted, if that has changed; return what it holds."""
    data = _pack(own_counts())
    if data == last:
        return last
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        return last
    return data


def _pack(counted: Counted) -> bytes:
    return orjson.dumps(
        {
            "counters": {
                name: list(counts.items()) for name, counts in counted.counters.items() if counts
            },
            "times": {
                name: [(labels, t.counts, t.sum_s) for labels, t in series.items()]
                for name, series in counted.times.items()
                if series
            },
        }
    )


def read_all(folder: Path) -> Counted:
    """Add up what the processes of a folder have counted, as far as their files can be read."""
    total = Counted()
    for path in _files(folder):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            total.add(_unpack(path.read_bytes()))
    return total


def _files(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from sorted(folder.glob("*.json"))


def _unpack(data: bytes) -> Counted:
    read = orjson.loads(data)
    found = Counted()
    for name, counts in read["counters"].items():
        for labels, count in counts:
            found.counters[name][tuple(labels)] = int(count)
    for name, series in read["times"].items():
        for labels, counts, sum_s in series:
            found.times[name][tuple(labels)] = Times(counts=list(counts), sum_s=float(sum_s))
    return found


def clear(folder: Path) -> None:
    """Forget the counts of an earlier run; only while no process writes there."""
    shutil.rmtree(folder, ignore_errors=True)
