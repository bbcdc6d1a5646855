"""Reading batches and coupons as they are shown; nothing here carries a code or a locator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import payments
from giftpad.coupons.models import CouponBatch, CouponChunk, CouponVolume
from giftpad.coupons.models.finding import (
    find_predecessors,
    find_successor,
    list_volumes,
    require_batch,
    require_coupon,
)
from giftpad.coupons.models.instruments import require_instrument
from giftpad.coupons.rules import (
    DONE,
    FAILED,
    READY,
    RELEASED,
    VERIFYING,
    BatchView,
    Counts,
    ManifestLine,
    VolumeView,
    format_serial,
    progress,
    state_of_coupon,
)
from giftpad.kernel.work import Work

PAGE_MAX = 200
PAYMENTS_SHOWN_MAX = 20
DUE_PRINTS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponView:
    """One coupon as it is shown to those who look after it."""

    serial: str
    account_id: UUID
    programme_id: UUID
    batch_id: UUID
    state: str
    face_value_minor: int
    balance_minor: int
    unit: str
    issued_on: date
    starts_on: date
    ends_on: date
    released_at: datetime | None
    replaces: str | None
    replaced_by: str | None
    replaced_by_batch_id: UUID | None
    payments: tuple[payments.PaymentView, ...] | None


def get_batch(work: Work, batch_id: UUID) -> BatchView:
    """Return one batch with its volumes.

    Raises: BatchNotFound.
    """
    batch = require_batch(work, batch_id)
    (view,) = _views(work, [batch], volumes=list_volumes(work, batch_id))
    return view


def list_batches(
    work: Work, *, before: UUID | None = None, programme_id: UUID | None = None, limit: int = 50
) -> list[BatchView]:
    """Return a page of batches, newest first, without their volumes."""
    statement = sa.select(CouponBatch).where(CouponBatch.tenant_id == work.tenant_id)
    if before is not None:
        statement = statement.where(CouponBatch.id < before)
    if programme_id is not None:
        statement = statement.where(CouponBatch.programme_id == programme_id)
    statement = statement.order_by(CouponBatch.id.desc()).limit(min(limit, PAGE_MAX))
    return _views(work, work.session.execute(statement).scalars().all(), volumes=())


def _sums(
    work: Work, table: type[CouponChunk | CouponVolume], batch_ids: list[UUID]
) -> dict[tuple[UUID, str], int]:
    rows = work.session.execute(
        sa.select(table.batch_id, table.state, sa.func.sum(table.quantity))
        .where(table.tenant_id == work.tenant_id, table.batch_id.in_(batch_ids))
        .group_by(table.batch_id, table.state)
    )
    return {(batch_id, state): int(quantity) for batch_id, state, quantity in rows}


def _views(
    work: Work, batches: Sequence[CouponBatch], *, volumes: Sequence[CouponVolume]
) -> list[BatchView]:
    batch_ids = [batch.id for batch in batches]
    chunk_sums = _sums(work, CouponChunk, batch_ids)
    volume_sums = _sums(work, CouponVolume, batch_ids)
    replaced = find_predecessors(work, batch_ids)
    views = []
    for batch in batches:
        verified = volume_sums.get((batch.id, READY), 0)
        counts = Counts(
            issued=chunk_sums.get((batch.id, DONE), 0),
            printed=verified + volume_sums.get((batch.id, VERIFYING), 0),
            verified=verified,
        )
        old_number = replaced.get(batch.id)
        replaces = None if old_number is None else format_serial(batch.prefix, old_number)
        views.append(_view(batch, counts, volumes=volumes, replaces=replaces))
    return views


def _view(
    batch: CouponBatch, counts: Counts, *, volumes: Sequence[CouponVolume], replaces: str | None
) -> BatchView:
    return BatchView(
        id=batch.id,
        programme_id=batch.programme_id,
        state=batch.state,
        quantity=batch.quantity,
        face_value_minor=batch.face_value_minor,
        unit=batch.unit,
        template=batch.template,
        serial_first=format_serial(batch.prefix, batch.serial_first),
        serial_last=format_serial(batch.prefix, batch.serial_first + batch.quantity - 1),
        issued_on=batch.issued_on,
        starts_on=batch.starts_on,
        ends_on=batch.ends_on,
        counts=counts,
        progress=1.0 if batch.state in (READY, RELEASED) else progress(batch.quantity, counts),
        volumes=tuple(_volume_view(batch.prefix, volume) for volume in volumes),
        failure_code=batch.failure_code,
        failure_text=batch.failure_text,
        created_at=batch.created_at,
        released_at=batch.released_at,
        expired_at=batch.expired_at,
        print_destroyed_at=batch.print_destroyed_at,
        replaces=replaces,
    )


def _volume_view(prefix: str, volume: CouponVolume) -> VolumeView:
    return VolumeView(
        number=volume.number,
        state=volume.state,
        serial_first=format_serial(prefix, volume.serial_first),
        serial_last=format_serial(prefix, volume.serial_first + volume.quantity - 1),
        quantity=volume.quantity,
        page_count=volume.page_count,
        size_bytes=volume.size_bytes,
        sha256=volume.sha256,
        problems=tuple(volume.problems),
    )


def list_manifest(
    work: Work, batch_id: UUID, *, offset: int = 0, limit: int = 10_000
) -> list[ManifestLine]:
    """Return a part of the list of a batch's coupons, in the order of their serials.

    Raises: BatchNotFound.
    """
    batch = require_batch(work, batch_id)
    return [
        ManifestLine(
            serial=format_serial(batch.prefix, number),
            face_value_minor=batch.face_value_minor,
            unit=batch.unit,
            issued_on=batch.issued_on,
            ends_on=batch.ends_on,
        )
        for number in range(
            batch.serial_first + offset,
            batch.serial_first + min(offset + limit, batch.quantity),
        )
    ]


def get_coupon(work: Work, serial: str, *, with_payments: bool = True) -> CouponView:
    """Return one coupon by its serial, however it is written; with its last payments if asked.

    Raises: CouponNotFound.
    """
    found = require_coupon(work, serial)
    instrument = require_instrument(work, found)
    batch = found.batch
    successor = find_successor(work, found)
    old_number = find_predecessors(work, [batch.id]).get(batch.id)
    shown = None
    if with_payments:
        wanted = payments.PaymentFilter(account_id=instrument.account_id, limit=PAYMENTS_SHOWN_MAX)
        shown = tuple(payments.list_payments(work, wanted))
    return CouponView(
        serial=found.serial,
        account_id=instrument.account_id,
        programme_id=batch.programme_id,
        batch_id=batch.id,
        state=state_of_coupon(
            instrument.state,
            released_at=instrument.released_at,
            ends_at=instrument.ends_at,
            now=work.at,
        ),
        face_value_minor=batch.face_value_minor,
        # The value went with the successor; what is dead holds nothing.
        balance_minor=0 if successor else instrument.balance_minor,
        unit=batch.unit,
        issued_on=batch.issued_on,
        starts_on=batch.starts_on,
        ends_on=batch.ends_on,
        released_at=instrument.released_at,
        replaces=None if old_number is None else format_serial(batch.prefix, old_number),
        replaced_by=successor[0] if successor else None,
        replaced_by_batch_id=successor[1] if successor else None,
        payments=shown,
    )


def list_due_prints(work: Work, before: datetime) -> list[UUID]:
    """Return batches released, or over, before an instant whose key still lives."""
    return list(
        work.session.execute(
            sa.select(CouponBatch.id)
            .where(
                CouponBatch.tenant_id == work.tenant_id,
                CouponBatch.batch_key.is_not(None),
                CouponBatch.state.in_((READY, RELEASED, FAILED)),
                sa.or_(CouponBatch.released_at < before, CouponBatch.ends_at < before),
            )
            .order_by(CouponBatch.id)
            .limit(DUE_PRINTS_MAX)
        ).scalars()
    )
