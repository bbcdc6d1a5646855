"""Run a process beside the web server: python -m worker relay | scheduler | watch | jobs [lane]."""

from __future__ import annotations

import os
import sys

from rq.serializers import JSONSerializer

from giftpad.kernel import metrics
from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.log import configure_logging
from giftpad.kernel.tracing import start_tracing
from giftpad.wiring import bootstrap
from worker import relay, scheduler, watch
from worker.queues import LANES, LaneWorker, connect, open_queue

HEAVY_NICENESS = 10
"""A long print takes what payments leave over, and the whole machine when there are none."""


def run_jobs(settings: Settings, lane: str) -> None:
    """Take hints from the queues of one lane, one after another, in this process."""
    if lane in ("heavy", "bulk"):
        os.nice(HEAVY_NICENESS)
    connection = connect(settings.redis_url)
    queues = [open_queue(name, connection) for name in LANES[lane]]
    worker = LaneWorker(queues, connection=connection, serializer=JSONSerializer)
    worker.log_result_lifespan = False
    worker.work(logging_level="WARNING")


def main(arguments: list[str]) -> int:
    """Run the process that the arguments name; 2 when they name none."""
    settings = read_settings()
    configure_logging(settings)
    metrics.publish(metrics.folder_of(settings.home))
    bootstrap(settings)
    start_tracing(settings, "-".join(arguments))
    match arguments:
        case ["relay"]:
            relay.run(settings)
        case ["scheduler"]:
            scheduler.run(settings)
        case ["watch"]:
            watch.run(settings)
        case ["jobs"]:
            run_jobs(settings, "all")
        case ["jobs", name] if (lane := name.partition("-")[0]) in LANES:
            run_jobs(settings, lane)  # heavy-2 is a second one: units of systemd need a name each
        case _:
            sys.stderr.write(
                f"usage: python -m worker relay | scheduler | watch | jobs [{'|'.join(LANES)}]\n"
            )
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
