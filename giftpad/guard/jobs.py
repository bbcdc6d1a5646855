"""Scheduled work of the guard."""

from __future__ import annotations

from giftpad.guard.commands import PURGE_MAX, purge_keys
from giftpad.kernel.work import Scope, unit_of_work

ROUNDS_MAX = 100


def purge_old_keys(scope: Scope) -> int:
    """Delete idempotency keys that are kept no longer, a batch a transaction; return how many."""
    total = 0
    for _ in range(ROUNDS_MAX):
        with unit_of_work(scope, patience_s=60) as work:
            count = purge_keys(work)
        total += count
        if count < PURGE_MAX:
            break
    return total
