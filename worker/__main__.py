"""Run one process beside the web server: python -m worker relay | scheduler | jobs [lane]."""

from __future__ import annotations

import sys

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.log import configure_logging
from giftpad.wiring import bootstrap
from worker import relay, scheduler
from worker.queues import LANES, connect, open_queue


def run_jobs(settings: Settings, lane: str) -> None:
    """Take hints from the queues of one lane, one after another, in this process."""
    connection = connect(settings.redis_url)
    queues = [open_queue(name, connection) for name in LANES[lane]]
    worker = SimpleWorker(queues, connection=connection, serializer=JSONSerializer)
    worker.log_result_lifespan = False
    worker.work(logging_level="WARNING")


def main(arguments: list[str]) -> int:
    """Run the process that the arguments name; 2 when they name none."""
    settings = read_settings()
    configure_logging(settings)
    bootstrap(settings)
    match arguments:
        case ["relay"]:
            relay.run(settings)
        case ["scheduler"]:
            scheduler.run(settings)
        case ["jobs"]:
            run_jobs(settings, "all")
        case ["jobs", lane] if lane in LANES:
            run_jobs(settings, lane)
        case _:
            sys.stderr.write(
                f"usage: python -m worker relay | scheduler | jobs [{'|'.join(LANES)}]\n"
            )
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
