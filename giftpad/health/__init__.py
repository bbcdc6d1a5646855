"""How the whole installation is: figures measured every few seconds, and what somebody must do.

Knows: what is measured, how old a figure may be, from where on it is a problem, dead letters of
every tenant.
Hides: where a figure comes from, the platform's table that holds them, Prometheus' form.
Does not know: the queue's library, processes, HTTP.
"""

from giftpad.health.adapters.exposition import Exposition, seconds_of
from giftpad.health.adapters.rails import (
    Rails,
    connect_rails,
    look_at_rails,
    look_at_standbys,
)
from giftpad.health.commands import (
    Redriven,
    keep_figures,
    note_backup,
    note_proof,
    redrive,
    redrive_gift_order,
)
from giftpad.health.errors import NothingDead, RedriveNotFound
from giftpad.health.queries import (
    DEAD_SHOWN_MAX,
    GiftOrders,
    Redrive,
    find_redrive,
    get_gift_order,
    list_dead,
    measure_gift_orders,
    measure_money,
    measure_platform,
    read_gift_orders,
    read_health,
)
from giftpad.health.rules import (
    BACKUP_AGE_MAX,
    FRESH,
    GIFT_ORDERS,
    KEY_AGE_MAX,
    PROOF_AGE_MAX,
    Figure,
    Health,
    Problem,
    queue_age_max_s,
)

__all__ = [
    "BACKUP_AGE_MAX",
    "DEAD_SHOWN_MAX",
    "FRESH",
    "GIFT_ORDERS",
    "KEY_AGE_MAX",
    "PROOF_AGE_MAX",
    "Exposition",
    "Figure",
    "GiftOrders",
    "Health",
    "NothingDead",
    "Problem",
    "Rails",
    "Redrive",
    "RedriveNotFound",
    "Redriven",
    "connect_rails",
    "find_redrive",
    "get_gift_order",
    "keep_figures",
    "list_dead",
    "look_at_rails",
    "look_at_standbys",
    "measure_gift_orders",
    "measure_money",
    "measure_platform",
    "note_backup",
    "note_proof",
    "queue_age_max_s",
    "read_gift_orders",
    "read_health",
    "redrive",
    "redrive_gift_order",
    "seconds_of",
]
