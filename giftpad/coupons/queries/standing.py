"""Print runs that stand still although they should move.

Hides: by which marks of its parts a run shows that somebody works on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.coupons.models import CouponBatch, CouponChunk, CouponVolume
from giftpad.coupons.rules import DUE, ISSUING, ORDERED, PRINTING, RELEASED, VERIFYING
from giftpad.kernel.work import Work

WORKING = (ORDERED, ISSUING, PRINTING, VERIFYING)
UNFINISHED = (DUE, PRINTING, VERIFYING)
STANDS_AFTER = timedelta(minutes=30)
"""A run of which no part moves for so long has been left by whoever worked on it."""


def find_standing(work: Work, batches: Sequence[CouponBatch]) -> dict[UUID, datetime]:
    """Return since when each of those batches stands still that does."""
    latest = work.at - STANDS_AFTER
    old = [batch for batch in batches if batch.created_at < latest]
    again = _list_again(work, [batch.id for batch in old if batch.state == RELEASED])
    moved_at = {
        batch.id: batch.created_at
        for batch in old
        if batch.state in WORKING or (batch.id in again and batch.print_destroyed_at is None)
    }
    if not moved_at:
        return {}
    for table, instant in (
        (CouponChunk, CouponChunk.done_at),
        # A claim is renewed while an attempt runs, and lapses soon after its process died.
        (CouponVolume, sa.func.greatest(CouponVolume.ready_at, CouponVolume.claimed_until)),
    ):
        rows = work.session.execute(
            sa.select(table.batch_id, sa.func.max(instant))
            .where(table.tenant_id == work.tenant_id, table.batch_id.in_(moved_at))
            .group_by(table.batch_id)
        )
        for batch_id, at in rows:
            moved_at[batch_id] = max(moved_at[batch_id], at or moved_at[batch_id])
    standing = {batch_id: at for batch_id, at in moved_at.items() if at < latest}
    return {
        batch_id: since
        for batch_id, at in standing.items()
        if (since := max(at, _asked_again_at(work, batch_id) or at)) < latest
    }


def is_printing_again() -> sa.ColumnElement[bool]:
    """Tell the volumes whose file is not made yet, or not read back."""
    return CouponVolume.state.in_(UNFINISHED)


def _list_again(work: Work, released: Sequence[UUID]) -> set[UUID]:
    """Return those of some released batches that are to be printed again."""
    if not released:
        return set()
    return set(
        work.session.scalars(
            sa.select(CouponVolume.batch_id).where(
                CouponVolume.tenant_id == work.tenant_id,
                CouponVolume.batch_id.in_(released),
                is_printing_again(),
            )
        )
    )


def _asked_again_at(work: Work, batch_id: UUID) -> datetime | None:
    """Return when somebody last had a batch printed again."""
    wanted = audit.EntryFilter(
        subjects=(f"coupon_batch:{batch_id}",), actions=("coupon_batch.reprinted",), limit=1
    )
    entries = audit.list_entries(work, wanted)
    return entries[0].at if entries else None
