"""The queues, which of them share a worker, and how a hint is written on them."""

from __future__ import annotations

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

QUICK = ("otp", "tx-mail", "tx-sms", "events")
HEAVY = ("export", "print", "bulk-mail", "bulk-sms")
"""A worker empties a queue before it looks at the next one.  Scheduled work and files of shops
are few and end soon; a million coupons keep ``print`` filled for hours.  The few go first: they
wait for one volume at most, and never for a whole batch."""

LANES = {"quick": QUICK, "heavy": HEAVY, "all": QUICK + HEAVY}
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
