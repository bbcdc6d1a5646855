"""Reactions: send what is due, with no transaction open while the provider is asked."""

from __future__ import annotations

import time
from collections.abc import Callable

from giftpad.events import detached
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.messaging.adapters import Line, ask, hand_over, open_line, wait_for_turn
from giftpad.messaging.adapters.mails import Parcel
from giftpad.messaging.commands import (
    Held,
    find_way,
    finish_sending,
    hold_bulk,
    leave_line,
    let_go,
    start_sending,
    take_line,
)
from giftpad.messaging.errors import PutOff
from giftpad.messaging.events import BulkMailDue, BulkSmsDue, CodeDue, MailDue, SmsDue
from giftpad.messaging.rules.sending import QUEUED, QUICK_TRIES_MAX, SENT, SLICE_S, Outcome

log = get_logger("messaging")


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


def _send_for_a_while(scope: Scope, queue: str, number: int, line: Line) -> bool:
    """Return whether time was up before the messages were."""
    ends_at = time.monotonic() + SLICE_S
    while time.monotonic() < ends_at:
        with unit_of_work(scope) as work:
            held = hold_bulk(work, queue, number)
        if not held.ids or not _send_held(scope, held, line, ends_at=ends_at):
            return False
    return True


def _send_held(scope: Scope, held: Held, line: Line, *, ends_at: float) -> bool:
    """Send what is held, one after the other; False if the provider takes nothing now.

    Each message has one transaction: it ends the attempt before and begins its own.
    """
    done: tuple[Parcel, Outcome] | None = None
    begun, sent = 0, 0
    is_there = True
    try:
        for message_id in held.ids:
            is_there = wait_for_turn(line.channel, "bulk")
            if not is_there:
                break
            with unit_of_work(scope) as work:
                sent += _finish(work, done)
                parcel = start_sending(work, message_id, held_until=held.until)
            begun, done = begun + 1, None
            if parcel is None:
                continue
            done = (parcel, _ask_or_send(parcel, line.hand_over))
            is_there = not done[1].is_away
            if not is_there or time.monotonic() > ends_at:
                break
    finally:
        with unit_of_work(scope) as work:
            sent += _finish(work, done)
            let_go(work, held.ids[begun:], held.until)
        if sent:
            log.info("bulk sent", messages=sent)
    return is_there


def _finish(work: Work, done: tuple[Parcel, Outcome] | None) -> int:
    """Write down how an attempt of bulk ended; return 1 if the message was taken."""
    if done is None:
        return 0
    parcel, outcome = done
    state = finish_sending(work, parcel, outcome)
    if state == SENT:
        return 1
    _note(parcel, state, outcome)
    return 0
