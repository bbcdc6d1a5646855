"""Reading figures, measuring what the database knows, and following what was put back."""

from giftpad.health.queries.figures import Proof, find_proof, read_health
from giftpad.health.queries.letters import DEAD_SHOWN_MAX, Redrive, find_redrive, list_dead
from giftpad.health.queries.measuring import measure_money, measure_platform

__all__ = [
    "DEAD_SHOWN_MAX",
    "Proof",
    "Redrive",
    "find_proof",
    "find_redrive",
    "list_dead",
    "measure_money",
    "measure_platform",
    "read_health",
]
