"""A small web server and small workers, for the supervisor to run in tests."""

import os
import signal
import sys
from pathlib import Path

from giftpad.kernel.seal import KeyUnreadable

if os.environ.get("TINY_FAILS") == "web" and __name__ != "__main__":
    message = "no web today"
    raise RuntimeError(message)


def app(environ, start_response):
    answers = {"/readyz": str(os.getpid()), "/scheme": environ["wsgi.url_scheme"]}
    answer = answers.get(environ["PATH_INFO"])
    start_response("200 OK" if answer else "404 Not Found", [("Content-Type", "text/plain")])
    return [(answer or "").encode()]


def prepare(settings):
    print(f"prepared {Path(settings.home).name}")


def lock_out(settings):
    message = "the key opens nothing here"
    raise KeyUnreadable(message)


def fail(settings):
    message = "the pack is broken"
    raise RuntimeError(message)


if __name__ == "__main__":
    later = Path(os.environ.get("TINY_FAILS_NEXT", "nowhere"))
    if sys.argv[1] in (
        os.environ.get("TINY_FAILS"),
        later.read_text() if later.exists() else None,
    ):
        print(f"no {sys.argv[1]} today", file=sys.stderr)
        sys.exit(3)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
