"""Facts about batches and coupons; none carries a code, a QR text or a locator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from giftpad.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOrdered(Event):
    """A batch was ordered; ``object_id`` is the batch."""

    name: ClassVar[str] = "coupon_batch.ordered_v1"
    programme_id: UUID
    quantity: int
    face_value_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkDue(Event):
    """A chunk waits to be issued; ``object_id`` is the chunk."""

    name: ClassVar[str] = "coupon_chunk.due_v1"
    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponsIssued(Event):
    """The value of a run of coupons is on the books; ``object_id`` is the batch."""

    name: ClassVar[str] = "coupon_range.issued_v1"
    programme_id: UUID
    unit: str
    count: int
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponsExpired(Event):
    """What a run of coupons still held went to breakage; ``object_id`` is the batch."""

    name: ClassVar[str] = "coupon_range.expired_v1"
    programme_id: UUID
    unit: str
    count: int
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeDue(Event):
    """A volume waits to be printed; ``object_id`` is the volume."""

    name: ClassVar[str] = "coupon_volume.due_v1"
    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReady(Event):
    """Every coupon of a batch is issued, printed and checked."""

    name: ClassVar[str] = "coupon_batch.ready_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailed(Event):
    """The print of a batch failed its check, or could not be made."""

    name: ClassVar[str] = "coupon_batch.failed_v1"
    failure_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReleased(Event):
    """The coupons of a batch can be spent from now on."""

    name: ClassVar[str] = "coupon_batch.released_v1"
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchExpired(Event):
    """What the coupons of a batch still held went to breakage."""

    name: ClassVar[str] = "coupon_batch.expired_v1"
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintDestroyed(Event):
    """The key of a batch is gone; its sealed files go with it."""

    name: ClassVar[str] = "coupon_batch.print_destroyed_v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponsBlocked(Event):
    """Coupons of one batch were stopped; ``object_id`` is the batch."""

    name: ClassVar[str] = "coupon_range.blocked_v1"
    serial_first: int
    serial_last: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponsUnblocked(Event):
    """Stopped coupons of one batch can be spent again; ``object_id`` is the batch."""

    name: ClassVar[str] = "coupon_range.unblocked_v1"
    serial_first: int
    serial_last: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponReplaced(Event):
    """A coupon got a successor on the same account; ``object_id`` is the old batch."""

    name: ClassVar[str] = "coupon.replaced_v1"
    serial: int
    new_batch_id: UUID
    new_serial: int
