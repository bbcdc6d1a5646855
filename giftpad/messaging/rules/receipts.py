"""What a provider tells of a message afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

DELIVERED, BOUNCED, COMPLAINED, UNSUBSCRIBED = "delivered", "bounced", "complained", "unsubscribed"
STATUSES = (DELIVERED, BOUNCED, COMPLAINED, UNSUBSCRIBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One word of a provider about one message; ``is_permanent``: nothing will arrive there."""

    message_id: UUID
    status: str
    is_permanent: bool = False
    provider_id: str = ""
