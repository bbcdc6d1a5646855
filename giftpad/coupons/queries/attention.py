"""What somebody who looks after coupons should do next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.coupons.models import CouponBatch, CouponVolume
from giftpad.coupons.queries.standing import (
    STANDS_AFTER,
    WORKING,
    find_standing,
    is_printing_again,
)
from giftpad.coupons.rules import FAILED, READY, RELEASED, format_serial
from giftpad.kernel.work import Work

ATTENTION_MAX = 20
DOWNLOAD_PAGES_MAX = 10
"""How far back downloads are looked for: an older one is asked for again, which does no harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A batch that waits for a person.

    ``failed``: to be printed again; ``to_download``: so many of its volumes nobody took out yet;
    ``to_release``: printed and taken out, not spendable yet; ``standing``: nobody has worked on it
    since ``since``.
    """

    kind: Literal["failed", "to_download", "to_release", "standing"]
    batch_id: UUID
    programme_id: UUID
    serial_first: str
    serial_last: str
    quantity: int
    volume_count: int
    since: datetime | None = None


def list_attention(work: Work) -> list[Attention]:
    """Return the newest batches that wait for a person, at most ``ATTENTION_MAX``."""
    rows = work.session.execute(
        sa.select(CouponBatch, sa.func.count(CouponVolume.id))
        .join(
            CouponVolume,
            (CouponVolume.tenant_id == CouponBatch.tenant_id)
            & (CouponVolume.batch_id == CouponBatch.id),
        )
        .where(
            CouponBatch.tenant_id == work.tenant_id,
            CouponBatch.state.in_((FAILED, READY)),
            CouponBatch.print_destroyed_at.is_(None),
            CouponBatch.ends_at > work.at,
        )
        .group_by(CouponBatch.tenant_id, CouponBatch.id)
        .order_by(CouponBatch.id.desc())
        .limit(ATTENTION_MAX)
    ).all()
    left = _volumes_left(work, [batch.id for batch, _ in rows if batch.state == READY])
    return _list_standing(work) + [
        _attention(batch, left.get(batch.id, 0) if batch.state == READY else count)
        for batch, count in rows
    ]


def _list_standing(work: Work) -> list[Attention]:
    """Return the newest batches that stand still; they come first, for nothing mends them here."""
    again = (
        sa.select(CouponVolume.batch_id)
        .where(
            CouponVolume.tenant_id == work.tenant_id,
            CouponVolume.batch_id == CouponBatch.id,
            is_printing_again(),
        )
        .exists()
    )
    working = (
        work.session.execute(
            sa.select(CouponBatch)
            .where(
                CouponBatch.tenant_id == work.tenant_id,
                sa.or_(
                    CouponBatch.state.in_(WORKING),
                    sa.and_(CouponBatch.state == RELEASED, again),
                ),
                CouponBatch.print_destroyed_at.is_(None),
                CouponBatch.created_at < work.at - STANDS_AFTER,
            )
            .order_by(CouponBatch.id.desc())
            .limit(ATTENTION_MAX)
        )
        .scalars()
        .all()
    )
    since = find_standing(work, working)
    return [
        replace(_attention(batch, 0), kind="standing", since=since[batch.id])
        for batch in working
        if batch.id in since
    ]


def _attention(batch: CouponBatch, left: int) -> Attention:
    kind: Literal["failed", "to_download", "to_release"] = "failed"
    if batch.state == READY:
        kind = "to_download" if left > 0 else "to_release"
    return Attention(
        kind=kind,
        batch_id=batch.id,
        programme_id=batch.programme_id,
        serial_first=format_serial(batch.prefix, batch.serial_first),
        serial_last=format_serial(batch.prefix, batch.serial_first + batch.quantity - 1),
        quantity=batch.quantity,
        volume_count=left,
    )


def _volumes_left(work: Work, batch_ids: list[UUID]) -> Counter[UUID]:
    """Count the volumes whose file of today nobody took out; one printed again is another file."""
    if not batch_ids:
        return Counter()
    volume = CouponVolume
    left = {
        (batch_id, number, sha256)
        for batch_id, number, sha256 in work.session.execute(
            sa.select(volume.batch_id, volume.number, volume.sha256).where(
                volume.tenant_id == work.tenant_id, volume.batch_id.in_(batch_ids)
            )
        )
    }
    before: int | None = None
    for _ in range(DOWNLOAD_PAGES_MAX):
        wanted = audit.EntryFilter(
            subjects=[f"coupon_batch:{batch_id}" for batch_id in batch_ids],
            actions=("coupon_batch.pdf_downloaded",),
            before=before,
            limit=audit.PAGE_MAX,
        )
        entries = audit.list_entries(work, wanted)
        for entry in entries:
            batch_id = UUID(entry.subject.partition(":")[2])
            left.discard((batch_id, entry.details["volume"], entry.details["sha256"]))
        if not left or len(entries) < audit.PAGE_MAX:
            break
        before = entries[-1].seq
    return Counter(batch_id for batch_id, _, _ in left)
