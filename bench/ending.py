"""Ctrl-C and SIGTERM while something long runs: answered at once, and nothing is left behind.

Hides: signals.  Whatever is inside ends what it has started, as it does after any error.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130
ERRORS = 2
AT_ONCE = b"\ninterrupted; stopping what was started ...\n"

told = threading.Event()
"""Set once this process has been told to end."""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not break off what stops the servers, nor the commands
    # that are started for it, which inherit this.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    told.set()
    os.write(ERRORS, AT_ONCE)  # a print could be what is interrupted
    raise KeyboardInterrupt


@contextlib.contextmanager
def plainly(last_words: str) -> Iterator[None]:
    """Answer Ctrl-C and SIGTERM by one line at once and ``last_words`` at the end; exit 130."""
    for each in SIGNALS:
        signal.signal(each, _interrupt)
    try:
        yield
    except BaseException as error:
        if not told.is_set():
            raise
        if not isinstance(error, KeyboardInterrupt):
            click.echo(f"not everything stopped in order: {error}", err=True)
        click.echo(last_words, err=True)
        raise SystemExit(INTERRUPTED) from None


def through(end: Callable[[], None]) -> None:
    """Do what must not be broken off: where Ctrl-C comes in its middle, once more from its start.

    Raises: KeyboardInterrupt.
    """
    try:
        end()
    except KeyboardInterrupt:
        end()
        raise


def end_silently() -> None:
    """Let Ctrl-C end this process without a word: the one that started it speaks."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
