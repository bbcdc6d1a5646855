"""Facts about gifts; none carries a link, a name or an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSubmitted(Event):
    """An order waits for its approval; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.submitted_v1"
    quantity: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderApproved(Event):
    """An order may be issued; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.approved_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftsDue(Event):
    """Gifts of an order wait to be issued; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.gifts_due_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftsIssued(Event):
    """The value of some gifts is on the books; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.gifts_issued_v1"
    count: int
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSent(Event):
    """Every gift of an order is issued and its letter is on its way."""

    name: ClassVar[str] = "gift_order.sent_v1"
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClosed(Event):
    """No gift of an order is outstanding any more."""

    name: ClassVar[str] = "gift_order.closed_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftClaimed(Event):
    """Somebody chose with a gift; ``object_id`` is the gift."""

    name: ClassVar[str] = "gift.claimed_v1"
    order_id: UUID
    claim_id: UUID
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftKept(Event):
    """Somebody keeps what is left of a gift to spend it in shops; ``object_id`` is the gift."""

    name: ClassVar[str] = "gift.kept_v1"
    order_id: UUID
    balance_id: UUID
    programme_id: UUID
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftReopened(Event):
    """What was chosen is not to be had, so the gift can choose again; ``object_id`` is the gift."""

    name: ClassVar[str] = "gift.reopened_v1"
    order_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftCancelled(Event):
    """A gift was taken back before it was claimed; ``object_id`` is the gift."""

    name: ClassVar[str] = "gift.cancelled_v1"
    order_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDue(Event):
    """The rest of an order's unclaimed gifts is to be taken back; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.rest_due_v1"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindersDue(Event):
    """The rest of a selection is to be reminded, as somebody began; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.reminders_due_v1"
    shown: str
    begun_at: datetime
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftsExpired(Event):
    """Nobody claimed some gifts in time; ``object_id`` is the order."""

    name: ClassVar[str] = "gift_order.gifts_expired_v1"
    count: int
    amount_minor: int
    is_returned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftThanked(Event):
    """A recipient said thank you; ``object_id`` is the gift."""

    name: ClassVar[str] = "gift.thanked_v1"
    order_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CardsDue(Event):
    """A file of cards waits to be printed; ``object_id`` is the file's row."""

    name: ClassVar[str] = "gift_print.cards_due_v1"
