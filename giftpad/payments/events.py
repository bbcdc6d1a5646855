"""What payments tell the house."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCaptured(Event):
    """A shop took value; ``object_id`` is the payment.  Written by the pay function itself."""

    name: ClassVar[str] = "payment.captured_v1"
    account_id: UUID
    programme_id: UUID
    shop_id: UUID
    unit: str
    amount_minor: int
    balance_minor: int
    transfer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided(Event):
    """A payment was undone whole on its day; ``object_id`` is the payment."""

    name: ClassVar[str] = "payment.voided_v1"
    reversal_id: UUID
    account_id: UUID
    programme_id: UUID
    shop_id: UUID
    unit: str
    amount_minor: int
    balance_minor: int
    transfer_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """Value of a payment was given back; ``object_id`` is the payment."""

    name: ClassVar[str] = "payment.refunded_v1"
    reversal_id: UUID
    account_id: UUID
    programme_id: UUID
    shop_id: UUID
    unit: str
    amount_minor: int
    balance_minor: int
    transfer_id: UUID
    at: datetime
