"""The queues, which of them share a worker, and how a hint is written on them."""

from __future__ import annotations

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

CODES = ("otp",)
QUICK = ("otp", "tx-mail", "tx-sms", "events")
BULK = ("bulk-mail", "bulk-sms")
PAPER = ("export", "print")
"""A worker empties a queue before it looks at the next one.  Scheduled work and files of shops
are few and end soon; a million coupons keep ``print`` filled for hours.  The few go first: they
wait for one volume at most, and never for a whole batch."""
HEAVY = (*PAPER, *BULK)

LANES = {
    "codes": CODES,
    "quick": QUICK,
    "heavy": HEAVY,
    "bulk": (*BULK, *PAPER),
    "all": QUICK + HEAVY,
}
"""Who takes what.  ``heavy`` and ``bulk`` each have something of their own to do first and help
the other out, so that neither a million coupons nor a million mails holds the other up.  Codes
have a worker to themselves: somebody looks at a screen until one arrives."""
TIMEOUT_S = dict.fromkeys(QUICK, 120) | dict.fromkeys(HEAVY, 1800)
REDIS_TIMEOUT_S = 5


def connect(redis_url: str) -> Redis:
    """Connect to the Redis that carries the hints."""
    return Redis.from_url(
        redis_url, socket_connect_timeout=REDIS_TIMEOUT_S, health_check_interval=30
    )


def open_queue(name: str, connection: Redis) -> Queue:
    """Open one queue; jobs are JSON, because a pickled job would run as code."""
    assert name in TIMEOUT_S
    return Queue(
        name, connection=connection, serializer=JSONSerializer, default_timeout=TIMEOUT_S[name]
    )


class LaneWorker(SimpleWorker):
    """A worker that empties one queue after the other, but lets mail and SMS in bulk take turns."""

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Let the other of the pair go first next time, where this worker begins with them."""
        first = [queue.name for queue in self._ordered_queues[: len(BULK)]]
        if reference_queue.name in BULK and set(first) == set(BULK):
            self._ordered_queues.sort(
                key=lambda queue: queue.name == reference_queue.name if queue.name in BULK else 2
            )
