"""Waiting for another thread or process to come so far."""

from __future__ import annotations

import threading
from collections.abc import Callable

import sqlalchemy as sa

from giftpad.kernel.work import Work

PATIENCE_S = 20
_WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def wait_for(happened: Callable[[], object]) -> None:
    """Look every millisecond whether it has happened.

    Raises: AssertionError when it takes too long.
    """
    for _ in range(PATIENCE_S * 1000):
        if happened():
            return
        threading.Event().wait(0.001)
    raise AssertionError


def wait_for_waiting(work: Work) -> None:
    """Look until somebody waits for what another transaction holds.

    Raises: AssertionError when it takes too long.
    """
    wait_for(lambda: work.session.execute(_WAITING).scalar_one())
