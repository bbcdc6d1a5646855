"""Figures and counts in the form Prometheus reads.

Hides: prometheus_client.  A figure that was not measured lately is left out: what is not known is
never said to be well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from giftpad.kernel.metrics import BOUNDS_S, COUNTERS, TIMES, Counted, Times

HOST = "127.0.0.1"

Samples = Iterator[tuple[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """A figure as Prometheus sees it; ``read`` takes its samples out of what was measured."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    read: Callable[[Mapping[str, Any]], Samples]


def _one(figure: str, key: str) -> Callable[[Mapping[str, Any]], Samples]:
    """Read one number of a figure."""

    def read(figures: Mapping[str, Any]) -> Samples:
        value = (figures.get(figure) or {}).get(key)
        if value is not None:
            yield (), float(value)

    return read


def _each(
    figure: str, key: str | None, of: Callable[[Any], float]
) -> Callable[[Mapping[str, Any]], Samples]:
    """Read one number of each entry of a figure, or of a table inside it."""

    def read(figures: Mapping[str, Any]) -> Samples:
        table = figures.get(figure) or {}
        for name, value in (table if key is None else table.get(key) or {}).items():
            yield (name,), of(value)

    return read


def _parts(figures: Mapping[str, Any]) -> Samples:
    for part in (figures.get("parts") or {}).get("parts", []):
        yield (part["name"],), float(part["state"] == "up")


def _proved_at(figures: Mapping[str, Any]) -> Samples:
    proofs = figures.get("proofs") or {}
    if proofs:
        yield (), min(float(proof["at"]) for proof in proofs.values())


def _faults(figures: Mapping[str, Any]) -> Samples:
    proofs = figures.get("proofs") or {}
    if proofs:
        yield (), float(sum(proof["faults"] for proof in proofs.values()))


def _off(figures: Mapping[str, Any]) -> Samples:
    for name in (figures.get("features") or {}).get("off", []):
        yield (name,), 1.0


GAUGES = (
    Gauge(
        name="giftpad_watch_timestamp_seconds",
        help="When the figures were measured last, in seconds since 1970.",
        read=_one("watch", "at"),
    ),
    Gauge(
        name="giftpad_payments_last_minute",
        help="Payments of all tenants in the last minute that was counted.",
        read=_one("money", "payments"),
    ),
    Gauge(
        name="giftpad_outbox_waiting",
        help="Events that some handler has not taken yet.",
        read=_one("outbox", "waiting"),
    ),
    Gauge(
        name="giftpad_outbox_oldest_seconds",
        help="Age of the oldest of them.",
        read=_one("outbox", "oldest_s"),
    ),
    Gauge(
        name="giftpad_relay_lag_seconds",
        help="Age of the oldest event that the relay has not sent yet.",
        read=_one("outbox", "relay_lag_s"),
    ),
    Gauge(
        name="giftpad_dead_letters",
        help="Deliveries that a handler has given up.",
        read=_one("outbox", "dead"),
    ),
    Gauge(
        name="giftpad_queue_jobs",
        help="Jobs that wait in a queue.",
        labels=("queue",),
        read=_each("queues", None, lambda queue: float(queue["jobs"])),
    ),
    Gauge(
        name="giftpad_queue_oldest_seconds",
        help="How long the first job of a queue has waited.",
        labels=("queue",),
        read=_each("queues", None, lambda queue: float(queue["oldest_s"])),
    ),
    Gauge(
        name="giftpad_database_up",
        help="Whether PostgreSQL answers.",
        read=_one("database", "up"),
    ),
    Gauge(
        name="giftpad_database_connections",
        help="Connections by state; those of other roles are other.",
        labels=("state",),
        read=_each("database", "connections", float),
    ),
    Gauge(
        name="giftpad_database_replica_lag_seconds",
        help="How far the last standby is behind; without one, or where it is not seen, nothing.",
        read=_one("database", "lag_s"),
    ),
    Gauge(name="giftpad_redis_up", help="Whether Redis answers.", read=_one("redis", "up")),
    Gauge(
        name="giftpad_part_up",
        help="Whether a part of this Giftpad works.",
        labels=("part",),
        read=_parts,
    ),
    Gauge(
        name="giftpad_ledger_verified_timestamp_seconds",
        help="When the books of the tenant that waits longest were proved last.",
        read=_proved_at,
    ),
    Gauge(
        name="giftpad_ledger_faults",
        help="Differences that the last proofs found, over all tenants.",
        read=_faults,
    ),
    Gauge(
        name="giftpad_backup_timestamp_seconds",
        help="When the last backup was taken.",
        read=_one("backup", "at"),
    ),
    Gauge(
        name="giftpad_batches",
        help="Print runs by state, over all tenants.",
        labels=("state",),
        read=_each("money", "batches", float),
    ),
    Gauge(
        name="giftpad_admitted_groups",
        help="Groups of devices that are let in, of 64.",
        read=_one("features", "share"),
    ),
    Gauge(
        name="giftpad_feature_off",
        help="1 for each feature that is switched off.",
        labels=("feature",),
        read=_off,
    ),
)


class Exposition(Collector):
    """What is served at /metrics: the last figures, and the counts of all processes."""

    def __init__(self, count: Callable[[], Counted]) -> None:
        self._count = count
        self._lock = threading.Lock()
        self._figures: Mapping[str, Any] = {}
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)

    def show(self, figures: Mapping[str, Any]) -> None:
        """Serve these figures from now on."""
        with self._lock:
            self._figures = figures

    def describe(self) -> Iterator[Metric]:
        """Return the name of each metric, without a sample."""
        yield from (_family(gauge, {}) for gauge in GAUGES)

    def collect(self) -> Iterator[Metric]:
        """Return every metric with its samples, those without any too."""
        with self._lock:
            figures = self._figures
        for gauge in GAUGES:
            yield _family(gauge, figures)
        counted = self._count()
        for declared in COUNTERS:
            counter = CounterMetricFamily(declared.name, declared.help, labels=declared.labels)
            for labels, count in sorted(counted.counters.get(declared.name, {}).items()):
                counter.add_metric(labels, float(count))
            yield counter
        for declared in TIMES:
            histogram = HistogramMetricFamily(declared.name, declared.help, labels=declared.labels)
            for labels, times in sorted(counted.times.get(declared.name, {}).items()):
                histogram.add_metric(labels, _buckets(times), times.sum_s)
            yield histogram

    def serve(self, port: int) -> Callable[[], None]:
        """Serve /metrics on the loopback address; returns what ends it.

        OSError if the port is taken.
        """
        server, thread = start_http_server(port, addr=HOST, registry=self.registry)

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end


def _family(gauge: Gauge, figures: Mapping[str, Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
    for labels, value in gauge.read(figures):
        family.add_metric(labels, value)
    return family


def _buckets(times: Times) -> list[tuple[str, float]]:
    """Return the counts as Prometheus takes them: at most so long, cumulated."""
    edges = [str(edge) for edge in BOUNDS_S] + ["+Inf"]
    total, cumulated = 0, []
    for edge, count in zip(edges, times.counts, strict=True):
        total += count
        cumulated.append((edge, float(total)))
    return cumulated


def seconds_of(instant: datetime) -> float:
    """Return an instant as Prometheus counts time."""
    return round(instant.timestamp(), 3)
