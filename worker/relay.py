"""Carry due events from the outbox to the queues: a lease in PostgreSQL, a hint in Redis."""

from __future__ import annotations

import signal
import threading
from collections import defaultdict

import psycopg
from redis import Redis, RedisError
from rq import Queue
from rq.queue import EnqueueData

from giftpad import events, guard
from giftpad.kernel.config import Settings
from giftpad.kernel.db import PATIENCE
from giftpad.kernel.log import get_logger
from worker.queues import TIMEOUT_S, connect, open_queue

log = get_logger("relay")

IDLE_S = 0.1
ROUND_FULL = events.TAKE_MAX
TROUBLE_S = 1.0
HINT_FAILURE_TTL_S = 3600
OPTIONS = (
    "-c statement_timeout=10000 -c lock_timeout=1000"
    " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
)
"""A round takes a few rows by their keys, whatever statistics say of a table that just filled."""


def run(settings: Settings) -> None:
    """Relay until told to end; trouble with either server is waited out."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    redis = connect(settings.redis_url)
    connection: psycopg.Connection[tuple[object, ...]] | None = None
    while not stop.is_set():
        try:
            if connection is None or connection.closed or connection.broken:
                connection = psycopg.connect(
                    settings.database_relay_url, options=OPTIONS, **PATIENCE
                )
            guard.give_way()  # under overload payments need the machine more
            if relay_once(connection, redis) < ROUND_FULL:
                # Few at a time would cost a hint, a job and a transaction each; waiting costs a
                # tenth of a second, which nobody sees.
                stop.wait(IDLE_S)
        except (psycopg.Error, RedisError) as error:
            log.warning("relay waits", error=f"{type(error).__name__}: {error}")
            stop.wait(TROUBLE_S)
    if connection is not None:
        connection.close()


def relay_once(connection: psycopg.Connection[tuple[object, ...]], redis: Redis) -> int:
    """Send one round of hints and return how many ids they carry.

    When Redis does not take them the leases are given back, so that the next round sends again.
    """
    deliveries = events.take_due(connection)
    if not deliveries:
        return 0
    by_queue: dict[str, list[events.Delivery]] = defaultdict(list)
    for delivery in deliveries:
        by_queue[delivery.queue].append(delivery)
    try:
        for name, hints in by_queue.items():
            open_queue(name, redis).enqueue_many([_hint(name, hint) for hint in hints])
    except RedisError:
        events.give_back(connection, deliveries)
        raise
    return sum(len(delivery.event_ids) for delivery in deliveries)


def _hint(queue_name: str, delivery: events.Delivery) -> EnqueueData:
    ids = [str(event_id) for event_id in delivery.event_ids]
    return Queue.prepare_data(
        "worker.jobs.deliver",
        args=[str(delivery.tenant_id), list(delivery.handlers), delivery.event_name, ids],
        timeout=TIMEOUT_S[queue_name],
        ttl=int(events.LEASE.total_seconds()),  # then the same events are sent again
        result_ttl=0,
        failure_ttl=HINT_FAILURE_TTL_S,
        description=f"{', '.join(delivery.handlers)} x{len(ids)}",
    )
