"""Reading figures, measuring what the database knows, and following what was put back."""

from giftpad.health.queries.figures import Proof, find_proof, read_health
from giftpad.health.queries.gift_orders import (
    GiftOrders,
    get_gift_order,
    measure_gift_orders,
    read_gift_orders,
)
from giftpad.health.queries.letters import DEAD_SHOWN_MAX, Redrive, find_redrive, list_dead
from giftpad.health.queries.measuring import measure_money, measure_platform

__all__ = [
    "DEAD_SHOWN_MAX",
    "GiftOrders",
    "Proof",
    "Redrive",
    "find_proof",
    "find_redrive",
    "get_gift_order",
    "list_dead",
    "measure_gift_orders",
    "measure_money",
    "measure_platform",
    "read_gift_orders",
    "read_health",
]
