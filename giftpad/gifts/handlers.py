"""Reactions: issue what is due, note how letters went and what shops took."""

from __future__ import annotations

from collections.abc import Sequence

from giftpad import messaging, payments
from giftpad.events import batched, detached
from giftpad.gifts.adapters.press import print_cards, throw_away
from giftpad.gifts.commands.delivering import note_delivery, note_handed_over
from giftpad.gifts.commands.ending import cancel_next, has_rest, pass_rest_on
from giftpad.gifts.commands.issuing import issue_chunk, pass_on
from giftpad.gifts.commands.prints import finish_print, start_print
from giftpad.gifts.commands.reminding import pass_reminders_on, remind_next
from giftpad.gifts.commands.spending import Spent, note_spent
from giftpad.gifts.errors import OrderWrongState, RestBusy
from giftpad.gifts.events import CardsDue, GiftsDue, RemindersDue, RestDue
from giftpad.gifts.queries.reminding import Selection
from giftpad.gifts.rules.gifts import BOUNCED, DELIVERED, FAILED, UNKNOWN
from giftpad.gifts.rules.orders import CHUNKS_A_DELIVERY
from giftpad.kernel.work import Scope, Work, unit_of_work

ISSUE_PATIENCE_S = 60
REST_CHUNKS_MAX = 50
REMIND_CHUNKS_MAX = 20


@detached
def issue_due_gifts(scope: Scope, event: GiftsDue) -> None:
    """Issue the next gifts of an order, a transaction a chunk, and pass the rest on."""
    for _ in range(CHUNKS_A_DELIVERY):
        with unit_of_work(scope, patience_s=ISSUE_PATIENCE_S) as work:
            if not issue_chunk(work, event.object_id):
                return
    with unit_of_work(scope) as work:
        pass_on(work, event.object_id)


@detached
def print_due_cards(scope: Scope, event: CardsDue) -> None:
    """Print a file of cards, read every code back, and keep it sealed if all are right.

    Raises: PrintBusy while somebody else is at it.
    """
    with unit_of_work(scope) as work:
        task = start_print(work, event.object_id)
    if task is None:
        return
    if task.stale_file_id is not None:
        throw_away(task.tenant_id, task.stale_file_id)
    printed = print_cards(task)
    with unit_of_work(scope) as work:
        is_kept = finish_print(work, task, printed)
    if not is_kept or printed.problems:
        throw_away(task.tenant_id, task.file_id)


@detached
def cancel_due_rest(scope: Scope, event: RestDue) -> None:
    """Take back what is left of an order, a transaction for every thousand; pass the rest on.

    If the order was closed meanwhile, nothing is left of it.
    Raises: RestBusy if somebody is at the last ones; the event comes again.
    """
    after = 0
    for _ in range(REST_CHUNKS_MAX):
        try:
            with unit_of_work(scope, patience_s=ISSUE_PATIENCE_S) as work:
                taken = cancel_next(work, event.object_id, reason=event.reason, after=after)
                if not taken.count:
                    if has_rest(work, event.object_id):
                        raise RestBusy
                    return
        except OrderWrongState:
            return
        after = taken.last
    with unit_of_work(scope) as work:
        pass_rest_on(work, event.object_id, reason=event.reason)


@detached
def send_due_reminders(scope: Scope, event: RemindersDue) -> None:
    """Remind the rest of a selection, a transaction for every few hundred; pass the rest on.

    Whoever comes twice, or late, writes to nobody who was written to since somebody began.
    """
    selection, after = Selection(order_id=event.object_id, shown=event.shown), event.after
    for _ in range(REMIND_CHUNKS_MAX):
        try:
            with unit_of_work(scope, patience_s=ISSUE_PATIENCE_S) as work:
                reminded = remind_next(work, selection, begun_at=event.begun_at, after=after)
        except OrderWrongState:
            return
        if reminded.last is None:
            return
        after = reminded.last
    with unit_of_work(scope) as work:
        pass_reminders_on(work, selection, begun_at=event.begun_at, after=after)


@batched
def note_paid(work: Work, events: Sequence[payments.PaymentCaptured]) -> None:
    """Note that shops took a part of kept balances."""
    note_spent(work, [_spent(event, event.amount_minor) for event in events])


@batched
def note_voided(work: Work, events: Sequence[payments.PaymentVoided]) -> None:
    """Note that payments from kept balances were undone."""
    note_spent(work, [_spent(event, -event.amount_minor) for event in events])


@batched
def note_refunded(work: Work, events: Sequence[payments.PaymentRefunded]) -> None:
    """Note that shops gave back a part of what they took from kept balances."""
    note_spent(work, [_spent(event, -event.amount_minor) for event in events])


def _spent(
    event: payments.PaymentCaptured | payments.PaymentVoided | payments.PaymentRefunded,
    amount_minor: int,
) -> Spent:
    return Spent(account_id=event.account_id, amount_minor=amount_minor, at=event.at)


@batched
def note_sent(work: Work, events: Sequence[messaging.MessageSent]) -> None:
    """Note that a provider has taken the letters of gifts."""
    note_handed_over(work, [(event.reference, event.object_id) for event in events])


def note_delivered(work: Work, event: messaging.MessageDelivered) -> None:
    """Note that the letter of a gift has arrived."""
    note_delivery(work, event.reference, event.object_id, DELIVERED)


def note_bounced(work: Work, event: messaging.MessageBounced) -> None:
    """Note that the letter of a gift came back."""
    note_delivery(work, event.reference, event.object_id, BOUNCED)


def note_given_up(work: Work, event: messaging.MessageGivenUp) -> None:
    """Note that the letter of a gift was never taken."""
    note_delivery(work, event.reference, event.object_id, FAILED)


def note_unknown(work: Work, event: messaging.MessageUnknown) -> None:
    """Note that nobody knows whether the letter of a gift was taken."""
    note_delivery(work, event.reference, event.object_id, UNKNOWN)
