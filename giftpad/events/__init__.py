"""Facts go up the bus: an outbox written with the change, a relay, an inbox read with the effect.

Knows: delivery at least once, effect exactly once, order per object, back-off, dead letters.
Hides: leases, receipts, savepoints, the payload's form.
Does not know: any domain, and not the queue that carries the hints.
"""

from giftpad.events.commands import deliver, publish, purge, redrive
from giftpad.events.jobs import Delivery, give_back, take_due
from giftpad.events.queries import DeadLetter, count_pending, list_dead, reconcile
from giftpad.events.rules import (
    LEASE,
    Event,
    Subscription,
    Subscriptions,
    batched,
    detached,
    get_subscription,
    on_queue,
    subscribe,
)

__all__ = [
    "LEASE",
    "DeadLetter",
    "Delivery",
    "Event",
    "Subscription",
    "Subscriptions",
    "batched",
    "count_pending",
    "deliver",
    "detached",
    "get_subscription",
    "give_back",
    "list_dead",
    "on_queue",
    "publish",
    "purge",
    "reconcile",
    "redrive",
    "subscribe",
    "take_due",
]
