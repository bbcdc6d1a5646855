"""Put the house's schedule on the queues when it is due.

RQ's own cron pickles its jobs whatever serializer the workers use, and a pickled job in a shared
Redis is code that anybody with that Redis can run; so the clock is croniter's and the jobs ours.
"""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime

from croniter import croniter  # type: ignore[import-untyped]  # it ships no types
from redis import RedisError
from rq.exceptions import DuplicateJobError

from giftpad.kernel.config import Settings
from giftpad.kernel.log import get_logger
from giftpad.wiring import SCHEDULE
from worker.queues import connect, open_queue

log = get_logger("scheduler")

LOOK_S = 5.0
HINT_FAILURE_TTL_S = 3600


def due_between(cron: str, since: datetime, until: datetime) -> datetime | None:
    """Return the last instant after ``since`` and not after ``until`` at which ``cron`` is due."""
    last: datetime = croniter(cron, until).get_current(datetime)
    if not croniter.match(cron, until.replace(second=0, microsecond=0)):
        last = croniter(cron, until).get_prev(datetime)
    last = last.replace(second=0, microsecond=0)
    return last if last > since else None


def run(settings: Settings) -> None:
    """Enqueue scheduled work when it is due, until told to end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    redis = connect(settings.redis_url)
    started = datetime.now(UTC)
    seen = dict.fromkeys(SCHEDULE, started)
    while not stop.wait(LOOK_S):
        for name, entry in SCHEDULE.items():
            due = due_between(entry.cron, seen[name], datetime.now(UTC))
            if due is None:
                continue
            try:
                open_queue(entry.queue, redis).enqueue(
                    "worker.jobs.run_scheduled",
                    name,
                    job_id=f"{name}-{due:%Y%m%dT%H%M}".replace(".", "-"),
                    unique=True,
                    result_ttl=0,
                    failure_ttl=HINT_FAILURE_TTL_S,
                )
            except DuplicateJobError:
                pass
            except RedisError as error:
                log.warning("scheduler waits", error=type(error).__name__)
                continue
            seen[name] = due
