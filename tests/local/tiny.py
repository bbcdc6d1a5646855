"""A small web server and small workers, for the supervisor to run in tests."""

import os
import signal
import sys
from pathlib import Path

if os.environ.get("TINY_FAILS") == "web" and __name__ != "__main__":
    message = "no web today"
    raise RuntimeError(message)


def app(environ, start_response):
    is_ready = environ["PATH_INFO"] == "/readyz"
    start_response("200 OK" if is_ready else "404 Not Found", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def prepare(settings):
    print(f"prepared {Path(settings.home).name}")


def fail(settings):
    message = "the pack is broken"
    raise RuntimeError(message)


if __name__ == "__main__":
    if os.environ.get("TINY_FAILS") == sys.argv[1]:
        print(f"no {sys.argv[1]} today", file=sys.stderr)
        sys.exit(3)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
