"""Measure the whole installation every few seconds: write the figures down, and serve /metrics.

Whatever fails to answer is one figure less; the others go on.  Nothing here is needed by a
payment, and everything may be killed at any moment.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from redis import Redis, RedisError

from giftpad import guard, health, local, tenancy
from giftpad.kernel import metrics
from giftpad.kernel.config import Settings
from giftpad.kernel.db import Busy
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, unit_of_work
from worker.queues import TIMEOUT_S, connect, open_queue

log = get_logger("watch")

EVERY_S = 10.0
MONEY_EVERY_S = 60.0
PORT_AGAIN_S = 30.0
WINDOW_S = 300.0
TENANTS_SHOWN_MAX = 50
PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


SLOW = (Busy, psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
"""What a database says that is there and has too much to do."""


class Watch:
    """What is known of the installation, from one look to the next."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.redis: Redis = connect(settings.redis_url)
        self.rails: health.Rails | None = None
        self.counts: deque[tuple[float, metrics.Counted]] = deque()
        self.money: dict[str, Any] | None = None
        self.money_due_at = 0.0
        self.gifts_due_at = 0.0
        self.port_due_at = 0.0
        self.port_error: OSError | None = None
        self.end_serving: Callable[[], None] | None = None
        self.exposition = health.Exposition(self.count)

    def count(self) -> metrics.Counted:
        """Add up what the processes of this data folder have counted."""
        return metrics.read_all(metrics.folder_of(self.settings.home))

    def look(self) -> dict[str, Any]:
        """Measure everything once, write it down, and show it."""
        self.serve()
        figures: dict[str, Any] = {"watch": {"at": health.seconds_of(datetime.now(UTC))}}
        figures |= self._servers()
        figures |= {"web": self._web(), "parts": self._parts()}
        switches = guard.refresh_switches(PLATFORM)
        figures["features"] = {"off": sorted(switches.off), "share": switches.share}
        figures["metrics"] = {
            "port": self.settings.metrics_port,
            "is_served": self.end_serving is not None,
            "is_taken": self.port_error is not None and self.port_error.errno == errno.EADDRINUSE,
        }
        kept: dict[str, Any] = {}
        with contextlib.suppress(Unavailable), unit_of_work(PLATFORM) as work:
            kept = self._keep(work, figures)
        self.exposition.show({**figures, "money": self.money, **kept})
        return figures

    def _keep(self, work: Any, figures: dict[str, Any]) -> dict[str, Any]:
        """Write the figures down; return those that others write, as Prometheus shows them."""
        if (database := figures["database"])["up"]:
            found = health.measure_platform(work)
            database["connections"] = found["connections"]
            figures["keys"] = found["keys"]
        health.keep_figures(work, {k: v for k, v in figures.items() if v is not None})
        read = health.read_health(work)
        backup = read.measured_at("backup")
        return {
            "backup": {"at": health.seconds_of(backup)} if backup is not None else None,
            "proofs": {
                slug: {"at": health.seconds_of(proof.measured_at), "faults": proof.value["faults"]}
                for slug, proof in read.proofs.items()
            },
        }

    def _servers(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "database": {"up": True, "connections": {}, "standbys": 0, "lag_s": None}
        }
        try:
            if self.rails is None or self.rails.closed or self.rails.broken:
                self.rails = health.connect_rails(self.settings.database_relay_url)
            found["outbox"] = health.look_at_rails(self.rails)
            found["database"] |= health.look_at_standbys(self.rails)
            found["money"] = self._money()
            found["gift_orders"] = self._gift_orders()
        except (psycopg.Error, Unavailable) as error:
            log.warning("database does not answer", error=type(error).__name__)
            found["database"]["up"] = isinstance(error, SLOW)
        try:
            self.redis.ping()
            found |= {"redis": {"up": True}, "queues": self._queues()}
        except RedisError as error:
            log.warning("redis does not answer", error=type(error).__name__)
            found["redis"] = {"up": False}
        return found

    def _money(self) -> dict[str, Any] | None:
        """Count tenant by tenant, once a minute; in between the last count holds, unwritten."""
        if time.monotonic() < self.money_due_at:
            return None
        self.money = None
        self.money = health.measure_money()
        self.money_due_at = time.monotonic() + MONEY_EVERY_S
        return self.money

    def _gift_orders(self) -> dict[str, Any] | None:
        """Look at gift orders tenant by tenant, once a minute."""
        if time.monotonic() < self.gifts_due_at:
            return None
        found = health.measure_gift_orders()
        self.gifts_due_at = time.monotonic() + MONEY_EVERY_S
        return found

    def _queues(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        found: dict[str, Any] = {}
        for name in TIMEOUT_S:
            queue = open_queue(name, self.redis)
            first = queue.get_jobs(0, 1)
            since = first[0].enqueued_at if first else None
            if since is not None and since.tzinfo is None:
                since = since.replace(tzinfo=UTC)
            age_s = max((now - since).total_seconds(), 0.0) if since is not None else 0.0
            found[name] = {"jobs": queue.count, "oldest_s": round(age_s, 1)}
        return found

    def _parts(self) -> dict[str, Any]:
        """Return the parts that the supervisor of this data folder runs; none without one."""
        try:
            status = local.status(self.settings)
        except local.LocalError:
            return {"parts": []}
        return {
            "parts": [
                {"name": part.name, "state": part.state, "restarts": part.restarts}
                for part in status.parts
            ]
        }

    def _web(self) -> dict[str, Any]:
        """Compare the counts with those of five minutes ago."""
        now, counted = time.monotonic(), self.count()
        self.counts.append((now, counted))
        while len(self.counts) > 1 and now - self.counts[1][0] >= WINDOW_S:
            self.counts.popleft()
        since, before = self.counts[0]
        return compare(before, counted, max(now - since, EVERY_S))

    def serve(self) -> None:
        """Serve /metrics, if that is wanted and its port is free; else try again in a while."""
        port = self.settings.metrics_port
        if not port or self.end_serving is not None or time.monotonic() < self.port_due_at:
            return
        try:
            self.end_serving = self.exposition.serve(port)
            self.port_error = None
            log.info("metrics are served", port=port)
        except OSError as error:
            self.port_due_at = time.monotonic() + PORT_AGAIN_S
            if self.port_error is None or self.port_error.errno != error.errno:
                log.warning("metrics are not served", port=port, error=error.strerror)
            self.port_error = error

    def close(self) -> None:
        """End what was opened."""
        if self.end_serving is not None:
            self.end_serving()
        if self.rails is not None:
            self.rails.close()
        self.redis.close()


def compare(before: metrics.Counted, now: metrics.Counted, seconds: float) -> dict[str, Any]:
    """Return what the web server did between two counts: how much, how fast, how well."""
    all_times = metrics.Times()
    for labels, times in now.times.get("giftpad_http_request_seconds", {}).items():
        all_times.add(times.less(before.times["giftpad_http_request_seconds"][labels]))
    requests = now.counters.get("giftpad_http_requests_total", {})
    earlier = before.counters["giftpad_http_requests_total"]
    faults = sum(
        max(count - earlier[labels], 0)
        for labels, count in requests.items()
        if labels[2].startswith("5")
    )
    tenants = [
        _of_tenant(before, now, labels)
        for labels in now.times.get("giftpad_tenant_request_seconds", {})
    ]
    tenants.sort(key=lambda one: (-one["fault_share"], -(one["p95_s"] or 0), one["slug"]))
    return {
        "seconds": round(seconds),
        "requests": all_times.count,
        "p95_s": all_times.at_most_s(0.95),
        "faults": faults,
        "tenants": [one for one in tenants if one["requests"]][:TENANTS_SHOWN_MAX],
    }


def _of_tenant(
    before: metrics.Counted, now: metrics.Counted, labels: metrics.Labels
) -> dict[str, Any]:
    name = "giftpad_tenant_request_seconds"
    times = now.times[name][labels].less(before.times[name][labels])
    faults = (
        now.counters["giftpad_tenant_faults_total"][labels]
        - before.counters["giftpad_tenant_faults_total"][labels]
    )
    return {
        "slug": labels[0],
        "requests": times.count,
        "p95_s": times.at_most_s(0.95),
        "fault_share": round(max(faults, 0) / times.count, 4) if times.count else 0.0,
    }


def run(settings: Settings) -> None:
    """Watch until told to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watch = Watch(settings)
    try:
        while not stop.is_set():
            try:
                watch.look()
            except Exception:
                log.exception("a look failed")  # the next one is not the worse for it
            stop.wait(EVERY_S)
    finally:
        watch.close()
