"""Scheduled work of messaging: bring back what lies, and delete what is old."""

from __future__ import annotations

from giftpad.kernel.work import Scope, unit_of_work
from giftpad.messaging.adapters import ask
from giftpad.messaging.commands import (
    list_doubtful,
    note_found,
    purge,
    put_back,
    wake_due_bulk,
)
from giftpad.messaging.commands.sending import PURGE_MAX, PUT_BACK_MAX

ROUNDS_MAX = 100


def put_back_due(scope: Scope) -> int:
    """Put open messages whose pause is over on their queues again; return how many.

    It also finds what was overlooked: a message whose event was given up, or whose worker died.
    """
    total = 0
    for _ in range(ROUNDS_MAX):
        with unit_of_work(scope) as work:
            count = put_back(work)
        total += count
        if count < PUT_BACK_MAX:
            break
    return total


def go_on_with_bulk(scope: Scope) -> int:
    """Have bulk taken that waits for its next attempt or was left lying; return on how many queues.

    While it is being sent that changes nothing: no more workers send than there are places.
    """
    with unit_of_work(scope) as work:
        return wake_due_bulk(work)


def ask_for_unknown(scope: Scope) -> int:
    """Ask providers for messages whose answer was lost; return of how many they could tell.

    It is asked with no transaction open.
    """
    with unit_of_work(scope) as work:
        parcels = list_doubtful(work)
    count = 0
    for parcel in parcels:
        found = ask(parcel)
        with unit_of_work(scope) as work:
            count += note_found(work, parcel.id, found)
    return count


def purge_old(scope: Scope) -> int:
    """Delete messages that are kept no longer, a batch a transaction; return how many."""
    total = 0
    for _ in range(ROUNDS_MAX):
        with unit_of_work(scope, patience_s=60) as work:
            count = purge(work)
        total += count
        if count < PURGE_MAX:
            break
    return total
