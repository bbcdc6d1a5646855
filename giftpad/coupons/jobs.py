"""Scheduled work of coupons: expiry, and the end of print files."""

from __future__ import annotations

from contextlib import suppress

from giftpad.coupons.adapters.press import print_shop
from giftpad.coupons.commands import destroy_print, expire_step
from giftpad.coupons.errors import BatchWrongState, PrintDestroyed
from giftpad.coupons.queries import list_due_prints
from giftpad.kernel.work import Scope, unit_of_work

STEPS_MAX = 10_000
EXPIRE_PATIENCE_S = 120


def expire_due(scope: Scope) -> int:
    """Book what ended coupons still hold as breakage; return how many steps it took.

    One transaction a chunk: a crash loses at most one, and the next run goes on from there.
    """
    for step in range(STEPS_MAX):
        with unit_of_work(scope, patience_s=EXPIRE_PATIENCE_S) as work:
            if not expire_step(work):
                return step
    return STEPS_MAX


def destroy_due_prints(scope: Scope) -> int:
    """Destroy keys and print files that have been kept long enough; return of how many batches.

    A batch that is being printed again just now waits for the next run.
    """
    with unit_of_work(scope) as work:
        batch_ids = list_due_prints(work, work.at - print_shop().retention)
    destroyed = 0
    for batch_id in batch_ids:
        with suppress(BatchWrongState, PrintDestroyed), unit_of_work(scope) as work:
            destroy_print(work, batch_id)
            destroyed += 1
    return destroyed
