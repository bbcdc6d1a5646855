"""Waiting for another thread or process to come so far."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE_S = 20


def wait_for(happened: Callable[[], object]) -> None:
    """Look every millisecond whether it has happened.

    Raises: AssertionError when it takes too long.
    """
    for _ in range(PATIENCE_S * 1000):
        if happened():
            return
        threading.Event().wait(0.001)
    raise AssertionError
