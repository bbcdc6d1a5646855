"""Facts go up the bus: an outbox written with the change, a relay, an inbox read with the effect.

Knows: delivery at least once, effect exactly once, order per object, back-off, dead letters.
Hides: leases, receipts, savepoints, the payload's form.
Does not know: any domain, and not the queue that carries the hints.
"""

from giftpad.events.commands import deliver, publish, publish_many, purge, redrive
from giftpad.events.jobs import TAKE_MAX, Delivery, give_back, take_due
from giftpad.events.queries import (
    DeadLetter,
    count_dead,
    count_pending,
    find_oldest_untaken,
    list_dead,
    reconcile,
)
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
    "TAKE_MAX",
    "DeadLetter",
    "Delivery",
    "Event",
    "Subscription",
    "Subscriptions",
    "batched",
    "count_dead",
    "count_pending",
    "deliver",
    "detached",
    "find_oldest_untaken",
    "get_subscription",
    "give_back",
    "list_dead",
    "on_queue",
    "publish",
    "publish_many",
    "purge",
    "reconcile",
    "redrive",
    "subscribe",
    "take_due",
]
