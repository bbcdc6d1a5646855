"""What somebody who looks after coupons should do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.coupons.models import CouponBatch, CouponVolume
from giftpad.coupons.rules import FAILED, READY, format_serial
from giftpad.kernel.work import Work

ATTENTION_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A batch that waits for a person.

    ``failed``: to be printed again; ``to_download``: so many of its volumes nobody took out yet;
    ``to_release``: printed and taken out, not spendable yet.
    """

    kind: Literal["failed", "to_download", "to_release"]
    batch_id: UUID
    programme_id: UUID
    serial_first: str
    serial_last: str
    quantity: int
    volume_count: int


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
    taken = _volumes_taken(work, [batch.id for batch, _ in rows if batch.state == READY])
    return [_attention(batch, count - len(taken.get(batch.id, ()))) for batch, count in rows]


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


def _volumes_taken(work: Work, batch_ids: list[UUID]) -> dict[UUID, set[int]]:
    if not batch_ids:
        return {}
    taken: dict[UUID, set[int]] = {}
    before: int | None = None
    while True:
        wanted = audit.EntryFilter(
            subjects=[f"coupon_batch:{batch_id}" for batch_id in batch_ids],
            actions=("coupon_batch.pdf_downloaded",),
            before=before,
            limit=audit.PAGE_MAX,
        )
        entries = audit.list_entries(work, wanted)
        for entry in entries:
            batch_id = UUID(entry.subject.partition(":")[2])
            taken.setdefault(batch_id, set()).add(entry.details["volume"])
        if len(entries) < audit.PAGE_MAX:
            return taken
        before = entries[-1].seq
