"""Scheduled work of gifts: start what is due, remind, end what is over, forget what is old."""

from __future__ import annotations

from collections.abc import Callable

from giftpad.gifts.adapters.press import throw_away
from giftpad.gifts.commands.deciding import lapse_some, start_due
from giftpad.gifts.commands.ending import close_some, expire_some
from giftpad.gifts.commands.forgetting import forget_some
from giftpad.gifts.commands.prints import retire_prints
from giftpad.gifts.commands.reminding import remind_some
from giftpad.kernel.work import Scope, Work, unit_of_work

STEPS_MAX = 1000
START_COUNT_MAX = 100
LAPSE_COUNT_MAX = 20
PATIENCE_S = 60


def _steps(scope: Scope, step: Callable[[Work], int]) -> int:
    """Repeat a step, a transaction each, until it finds nothing; return how much it did."""
    total = 0
    for _ in range(STEPS_MAX):
        with unit_of_work(scope, patience_s=PATIENCE_S) as work:
            count = step(work)
        if not count:
            break
        total += count
    return total


def start_due_orders(scope: Scope) -> int:
    """Begin to issue the orders whose time has come; return how many."""
    with unit_of_work(scope) as work:
        return start_due(work, limit=START_COUNT_MAX)


def lapse_waiting(scope: Scope) -> int:
    """Make orders that nobody approved in time drafts again; return how many."""
    return _steps(scope, lambda work: lapse_some(work, limit=LAPSE_COUNT_MAX))


def remind_due(scope: Scope) -> int:
    """Remind whoever has not claimed yet and has two weeks left; return how many."""
    count, after = 0, None
    for _ in range(STEPS_MAX):
        with unit_of_work(scope, patience_s=PATIENCE_S) as work:
            reminded = remind_some(work, after)
        count, after = count + reminded.count, reminded.last
        if after is None:
            break
    return count


def end_due(scope: Scope) -> int:
    """End the gifts nobody claimed in time, then close the orders that are through."""
    count = _steps(scope, expire_some)
    _steps(scope, close_some)
    return count


def forget_old(scope: Scope) -> int:
    """Forget names and addresses that are kept no longer; return how many rows it touched."""
    return _steps(scope, forget_some)


def throw_away_prints(scope: Scope) -> int:
    """Delete files of cards that were kept long enough; return how many."""
    with unit_of_work(scope) as work:
        file_ids = retire_prints(work)
    for file_id in file_ids:
        throw_away(scope.tenant_id, file_id)
    return len(file_ids)
