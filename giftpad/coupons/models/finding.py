"""Finding rows by what people know: an id, a serial, a run of serials."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from giftpad.coupons.errors import BatchNotFound, CouponNotFound
from giftpad.coupons.models.tables import (
    CouponBatch,
    CouponChunk,
    CouponReplacement,
    CouponVolume,
)
from giftpad.coupons.rules import DUE, format_serial, parse_serial
from giftpad.kernel.work import Work
from giftpad.programmes import find_programme_by_prefix

_SERIALS = sa.text("""
    SELECT w.locator, b.prefix, b.serial_first, b.locator_first, b.quantity
    FROM unnest(CAST(:locators AS bigint[])) AS w (locator)
    CROSS JOIN LATERAL (
        SELECT * FROM coupon_batches b
        WHERE b.tenant_id = :tenant AND b.locator_first <= w.locator
        ORDER BY b.locator_first DESC LIMIT 1
    ) b
""")
_FRESH = {"populate_existing": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One coupon's place: its batch and its number there."""

    batch: CouponBatch
    number: int

    @property
    def serial(self) -> str:
        """The serial as it is printed."""
        return format_serial(self.batch.prefix, self.number)

    @property
    def locator(self) -> int:
        """The locator that belongs to the serial."""
        return self.batch.locator_first + self.number - self.batch.serial_first


def require_batch(work: Work, batch_id: UUID, *, lock: bool = False) -> CouponBatch:
    """Return a batch's row, held until the transaction ends if ``lock``.

    Raises: BatchNotFound.
    """
    statement = sa.select(CouponBatch).where(
        CouponBatch.tenant_id == work.tenant_id, CouponBatch.id == batch_id
    )
    if lock:
        statement = statement.with_for_update()
    batch = work.session.execute(statement, execution_options=_FRESH).scalar_one_or_none()
    if batch is None:
        raise BatchNotFound
    return batch


def lock_chunk(work: Work, chunk_id: UUID) -> CouponChunk:
    """Hold a chunk's row until the transaction ends."""
    return work.session.execute(
        sa.select(CouponChunk)
        .where(CouponChunk.tenant_id == work.tenant_id, CouponChunk.id == chunk_id)
        .with_for_update(),
        execution_options=_FRESH,
    ).scalar_one()


def lock_volume(work: Work, volume_id: UUID) -> CouponVolume:
    """Hold a volume's row until the transaction ends; its batch's row is held before it."""
    return work.session.execute(
        sa.select(CouponVolume)
        .where(CouponVolume.tenant_id == work.tenant_id, CouponVolume.id == volume_id)
        .with_for_update(),
        execution_options=_FRESH,
    ).scalar_one()


def list_volumes(work: Work, batch_id: UUID) -> Sequence[CouponVolume]:
    """Return a batch's volumes in order."""
    return (
        work.session.execute(
            sa.select(CouponVolume)
            .where(CouponVolume.tenant_id == work.tenant_id, CouponVolume.batch_id == batch_id)
            .order_by(CouponVolume.number),
            execution_options=_FRESH,
        )
        .scalars()
        .all()
    )


def is_claimed(work: Work, batch_id: UUID) -> bool:
    """Whether anybody prints a volume of a batch now; what a dead worker began is nobody's."""
    return work.session.execute(
        sa.select(
            sa.exists().where(
                CouponVolume.tenant_id == work.tenant_id,
                CouponVolume.batch_id == batch_id,
                CouponVolume.claimed_until > sa.func.now(),
            )
        )
    ).scalar_one()


def find_next_due(
    work: Work, table: type[CouponChunk | CouponVolume], batch_id: UUID, *, after: int = 0
) -> UUID | None:
    """Return the first part of a batch after number ``after`` that nobody has begun."""
    return work.session.execute(
        sa.select(table.id)
        .where(
            table.tenant_id == work.tenant_id,
            table.batch_id == batch_id,
            table.state == DUE,
            table.number > after,
        )
        .order_by(table.number)
        .limit(1)
    ).scalar_one_or_none()


def require_coupon(work: Work, serial: str) -> Found:
    """Return the place of the coupon that carries ``serial``, as a person may write it.

    Raises: CouponNotFound.
    """
    parsed = parse_serial(serial)
    programme = find_programme_by_prefix(work, parsed[0]) if parsed else None
    if parsed is None or programme is None:
        raise CouponNotFound
    number = parsed[1]
    batch = work.session.execute(
        sa.select(CouponBatch)
        .where(
            CouponBatch.tenant_id == work.tenant_id,
            CouponBatch.programme_id == programme.id,
            CouponBatch.serial_first <= number,
        )
        .order_by(CouponBatch.serial_first.desc())
        .limit(1)
    ).scalar_one_or_none()
    if batch is None or number >= batch.serial_first + batch.quantity:
        raise CouponNotFound
    return Found(batch=batch, number=number)


def require_coupon_at(work: Work, locator: int) -> Found:
    """Return the place of the coupon that a locator opens.

    Raises: CouponNotFound.
    """
    batch = work.session.execute(
        sa.select(CouponBatch)
        .where(CouponBatch.tenant_id == work.tenant_id, CouponBatch.locator_first <= locator)
        .order_by(CouponBatch.locator_first.desc())
        .limit(1)
    ).scalar_one_or_none()
    if batch is None or locator >= batch.locator_first + batch.quantity:
        raise CouponNotFound
    return Found(batch=batch, number=batch.serial_first + locator - batch.locator_first)


def find_serials(work: Work, locators: Collection[int]) -> dict[int, str]:
    """Return the serials of the coupons that these locators open; others are left out."""
    if not locators:
        return {}
    rows = work.session.execute(_SERIALS, {"tenant": work.tenant_id, "locators": sorted(locators)})
    return {
        locator: format_serial(prefix, serial_first + locator - locator_first)
        for locator, prefix, serial_first, locator_first, quantity in rows
        if locator < locator_first + quantity
    }


def list_batches_between(
    work: Work, programme_id: UUID, first: int, *, last: int
) -> Sequence[CouponBatch]:
    """Return the batches that hold any of the serials ``first`` to ``last``, in order."""
    return (
        work.session.execute(
            sa.select(CouponBatch)
            .where(
                CouponBatch.tenant_id == work.tenant_id,
                CouponBatch.programme_id == programme_id,
                CouponBatch.serial_first <= last,
                CouponBatch.serial_first + CouponBatch.quantity > first,
            )
            .order_by(CouponBatch.serial_first)
        )
        .scalars()
        .all()
    )


def find_successor(work: Work, found: Found) -> tuple[str, UUID] | None:
    """Return serial and batch of the coupon that replaced this one."""
    row = work.session.execute(
        sa.select(CouponReplacement.new_serial, CouponReplacement.new_batch_id).where(
            CouponReplacement.tenant_id == work.tenant_id,
            CouponReplacement.old_batch_id == found.batch.id,
            CouponReplacement.old_serial == found.number,
        )
    ).one_or_none()
    return None if row is None else (format_serial(found.batch.prefix, row[0]), row[1])


def find_predecessors(work: Work, batch_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return, for those of the batches that are replacements, the number of the old coupon."""
    rows = work.session.execute(
        sa.select(CouponReplacement.new_batch_id, CouponReplacement.old_serial).where(
            CouponReplacement.tenant_id == work.tenant_id,
            CouponReplacement.new_batch_id.in_(batch_ids),
        )
    )
    return {row[0]: row[1] for row in rows}
