"""Reading batches as they are shown; nothing here carries a code or a locator."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.coupons.models import CouponBatch, CouponChunk, CouponVolume
from giftpad.coupons.models.finding import (
    find_predecessors,
    list_volumes,
    require_batch,
)
from giftpad.coupons.queries.standing import find_standing
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
)
from giftpad.kernel.work import Work

PAGE_MAX = 200
DUE_PRINTS_MAX = 500


def get_batch(work: Work, batch_id: UUID) -> BatchView:
    """Return one batch with its volumes.

    Raises: BatchNotFound.
    """
    batch = require_batch(work, batch_id)
    (view,) = _views(work, [batch], volumes=list_volumes(work, batch_id))
    return view


def find_first_serials(work: Work, batch_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the first serial of each batch that there is, by its id."""
    rows = work.session.execute(
        sa.select(CouponBatch.id, CouponBatch.prefix, CouponBatch.serial_first).where(
            CouponBatch.tenant_id == work.tenant_id, CouponBatch.id.in_(batch_ids)
        )
    )
    return {batch_id: format_serial(prefix, number) for batch_id, prefix, number in rows}


def list_batches(
    work: Work, *, before: UUID | None = None, programme_id: UUID | None = None, limit: int = 50
) -> list[BatchView]:
    """Return a page of batches, newest first, without their volumes.

    What was never printed is in no list of prints; each such coupon is found by its serial.
    """
    statement = sa.select(CouponBatch).where(
        CouponBatch.tenant_id == work.tenant_id, CouponBatch.is_paperless.is_(False)
    )
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
    standing = find_standing(work, batches)
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
        view = _view(batch, counts, volumes=volumes, replaces=replaces)
        views.append(replace(view, stands_since=standing.get(batch.id)))
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


def list_due_prints(work: Work, before: datetime) -> list[UUID]:
    """Return batches released, or over, before an instant whose key still lives.

    That of what is shown on a screen lives as long as it can be spent.
    """
    return list(
        work.session.execute(
            sa.select(CouponBatch.id)
            .where(
                CouponBatch.tenant_id == work.tenant_id,
                CouponBatch.batch_key.is_not(None),
                CouponBatch.state.in_((READY, RELEASED, FAILED)),
                sa.or_(
                    sa.and_(CouponBatch.released_at < before, CouponBatch.is_paperless.is_(False)),
                    CouponBatch.ends_at < before,
                ),
            )
            .order_by(CouponBatch.id)
            .limit(DUE_PRINTS_MAX)
        ).scalars()
    )
