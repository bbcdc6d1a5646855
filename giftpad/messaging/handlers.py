"""Reactions: send what is due, with no transaction open while the provider is asked."""

from __future__ import annotations

import time
from collections.abc import Callable

from giftpad.events import detached
from giftpad.kernel.db import Busy
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.messaging.adapters import Line, ask, hand_over, open_line, wait_for_turn
from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.commands import (
    Held,
    Taken,
    begin_next,
    find_way,
    finish_sending,
    finish_taken,
    hold_bulk,
    leave_line,
    let_go,
    make_ready,
    start_sending,
    take_line,
)
from giftpad.messaging.errors import PutOff
from giftpad.messaging.events import BulkMailDue, BulkSmsDue, CodeDue, MailDue, SmsDue
from giftpad.messaging.rules.sending import (
    QUEUED,
    QUICK_TRIES_MAX,
    SENT,
    SLICE_S,
    SLOW_S,
    Ending,
    Outcome,
)

log = get_logger("messaging")
CLOSE_TRIES = 3


@detached
def send_due(scope: Scope, event: CodeDue | MailDue | SmsDue) -> None:
    """Send one message, if it is still to be sent.

    What was put off is tried again by the rails, with their back-off, until a few attempts in a
    row have failed; after that ``jobs.put_back_due`` brings it back after longer pauses.
    Raises: PutOff.
    """
    with unit_of_work(scope) as work:
        way = find_way(work, event.object_id)
    if way is None:
        return
    if not wait_for_turn(*way):
        message = "the provider takes no more at present"
        raise PutOff(message)
    with unit_of_work(scope) as work:
        parcel = start_sending(work, event.object_id)
    if parcel is None:
        return
    outcome = _ask_or_send(parcel, hand_over)
    with unit_of_work(scope) as work:
        state = finish_sending(work, parcel, outcome)
    _note(parcel, state, outcome)
    if state == QUEUED and parcel.attempt < QUICK_TRIES_MAX:
        raise PutOff(outcome.reason)


def _ask_or_send(parcel: Parcel, send: Callable[[Parcel], Outcome]) -> Outcome:
    """Send a message, but ask first whether the provider has it where that is in doubt."""
    if parcel.asks_first and isinstance(found := ask(parcel), Outcome):
        return found
    return send(parcel)


def _note(parcel: Parcel, state: str, outcome: Outcome) -> None:
    facts = {
        "message_id": str(parcel.id),
        "channel": parcel.channel,
        "template": parcel.template,
        "attempt": parcel.attempt,
    }
    if state == SENT:
        log.info("message sent", **facts)
    else:
        log.warning("message not sent", state=state, reason=outcome.reason, **facts)


@detached
def send_bulk_due(scope: Scope, event: BulkMailDue | BulkSmsDue) -> None:
    """Send bulk messages of one tenant for a few seconds, then let others go first.

    It ends early when there is no more, or when the provider takes nothing: then
    ``jobs.go_on_with_bulk`` tries again.  An event too many finds no place, and does nothing.
    """
    queue = "bulk-mail" if isinstance(event, BulkMailDue) else "bulk-sms"
    with unit_of_work(scope) as work:
        number = take_line(work, queue)
    if number is None:
        return
    goes_on = False
    try:
        with open_line(queue) as line:
            goes_on = _send_for_a_while(scope, queue, number, line)
    finally:
        with unit_of_work(scope) as work:
            leave_line(work, queue, number, goes_on=goes_on)


class _Slice:
    """How long a worker sends before it lets others go first."""

    def __init__(self) -> None:
        self.ends_at = time.monotonic() + SLICE_S

    @property
    def is_over(self) -> bool:
        """Whether others go first now."""
        return time.monotonic() > self.ends_at

    def note(self, took_s: float) -> None:
        """End with a provider that is slow: other mail and SMS of other providers waits for it."""
        if took_s > SLOW_S:
            self.ends_at = 0.0


def _send_for_a_while(scope: Scope, queue: str, number: int, line: Line) -> bool:
    """Return whether time was up before the messages were."""
    own = _Slice()
    while not own.is_over:
        with unit_of_work(scope) as work:
            held = hold_bulk(work, queue, number)
            parcels = make_ready(work, held)
        if not held.ids or not _send_held(scope, held, parcels, line, own=own):
            return False
    return True


def _send_held(scope: Scope, held: Held, parcels: list[Parcel], line: Line, *, own: _Slice) -> bool:
    """Send what is held, one after the other; False if the provider takes nothing now.

    Each message is begun by one small commit, which also says that the one before was taken; all
    that were taken are closed together in the end.
    """
    taken: list[Taken] = []
    is_there = True
    try:
        for parcel in parcels:
            is_there = wait_for_turn(line.channel, "bulk")
            if not is_there:
                break
            if not begin_next(scope, parcel, held, before=taken[-1] if taken else None):
                continue
            began = time.monotonic()
            outcome = _ask_or_send(parcel, line.hand_over)
            own.note(time.monotonic() - began)
            if outcome.ending is Ending.TAKEN:
                taken.append(Taken(parcel.id, parcel.attempt, outcome.provider_id))
            else:
                _finish_alone(scope, parcel, outcome)
            is_there = not outcome.is_away
            if not is_there or own.is_over:
                break
    finally:
        sent = _close_taken(scope, held, taken)
        if sent:
            log.info("bulk sent", messages=sent)
    return is_there


def _close_taken(scope: Scope, held: Held, taken: list[Taken]) -> int:
    """Close what was taken and let others have the rest; return how much was taken.

    Who is in the way is waited for more than once: of the last message nothing else knows.
    """
    tries_left = CLOSE_TRIES
    while True:
        tries_left -= 1
        try:
            with unit_of_work(scope) as work:
                sent = finish_taken(work, taken)
                let_go(work, held.ids, held.until)
                return sent
        except Busy:
            if not tries_left:
                raise


def _finish_alone(scope: Scope, parcel: Parcel, outcome: Outcome) -> None:
    """Write down at once how an attempt ended that was not taken."""
    with unit_of_work(scope) as work:
        state = finish_sending(work, parcel, outcome)
    _note(parcel, state, outcome)
