"""The life of a volume: due, printing, verifying, ready or failed; and its batch with it.

Each function is one short transaction; what takes long happens between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events
from giftpad.coupons.adapters.press import PrintTask, make_task
from giftpad.coupons.errors import (
    BatchWrongState,
    PrintDestroyed,
    VolumeBusy,
    VolumeNotFound,
)
from giftpad.coupons.events import BatchFailed, BatchReady, VolumeDue
from giftpad.coupons.models import CouponBatch, CouponVolume
from giftpad.coupons.models.finding import (
    find_next_due,
    is_claimed,
    list_volumes,
    lock_volume,
    require_batch,
)
from giftpad.coupons.rules import (
    DUE,
    FAILED,
    PRINTING,
    READY,
    RELEASED,
    VERIFYING,
    state_of_print,
)
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work

FAILURE_LENGTH_MAX = 2000
CLAIM = timedelta(seconds=20)
"""Shorter than the lease of an event, so that a dead worker's claim is over when it is resent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt at a volume ended; it failed if ``failure_code`` is set."""

    page_count: int = 0
    size_bytes: int = 0
    sha256: str = ""
    failure_code: str = ""
    problems: tuple[str, ...] = ()


def _lock(work: Work, batch_id: UUID, volume_id: UUID) -> tuple[CouponBatch, CouponVolume]:
    batch = require_batch(work, batch_id, lock=True)
    return batch, lock_volume(work, volume_id)


def start_volume(work: Work, batch_id: UUID, volume_id: UUID) -> PrintTask | None:
    """Begin an attempt at a volume and claim it; None if there is nothing to do.

    An attempt that was begun before counts no more, even if it still runs somewhere.
    Locks: the batch, then the volume.
    Raises: VolumeBusy.
    Publishes: coupon_volume.due_v1 of the next volume, when this one is begun first.
    """
    batch, volume = _lock(work, batch_id, volume_id)
    if volume.state in (READY, FAILED) or batch.batch_key is None:
        return None
    now = work.session.execute(sa.select(sa.func.now())).scalar_one()
    if volume.claimed_until is not None and volume.claimed_until > now:
        raise VolumeBusy
    if batch.state == FAILED:
        volume.state = DUE  # Whoever began it is dead; it waits until the batch is printed again.
        return None
    if volume.state == DUE:
        next_id = find_next_due(work, CouponVolume, batch_id, after=volume.number)
        if next_id is not None:
            events.publish(work, VolumeDue(object_id=next_id, batch_id=batch_id))
    stale_file_id, volume.file_id = volume.file_id, new_id()
    volume.state, volume.problems, volume.claimed_until = PRINTING, [], now + CLAIM
    _follow(work, batch)
    return make_task(batch, volume, file_id=volume.file_id, stale_file_id=stale_file_id)


def renew_claim(work: Work, task: PrintTask, *, ends: bool = False) -> None:
    """Keep a volume claimed by a running attempt for a while longer, or give it free."""
    work.session.execute(
        sa.update(CouponVolume)
        .where(
            CouponVolume.tenant_id == work.tenant_id,
            CouponVolume.id == task.volume_id,
            CouponVolume.file_id == task.file_id,
        )
        .values(claimed_until=None if ends else sa.func.now() + CLAIM)
    )


def mark_verifying(work: Work, task: PrintTask) -> None:
    """Note that an attempt is drawn and is being read back.

    Locks: the batch, then the volume.
    """
    batch, volume = _lock(work, task.batch_id, task.volume_id)
    if volume.file_id == task.file_id and volume.state == PRINTING:
        volume.state = VERIFYING
        _follow(work, batch)


def finish_volume(work: Work, task: PrintTask, outcome: Outcome) -> bool:
    """Record how an attempt ended; False if a newer attempt, or destruction, overtook it.

    Locks: the batch, then the volume.
    Publishes: coupon_batch.ready_v1 or coupon_batch.failed_v1, once the batch is so.
    """
    batch, volume = _lock(work, task.batch_id, task.volume_id)
    if volume.file_id != task.file_id or volume.state not in (PRINTING, VERIFYING):
        return False
    if batch.batch_key is None:
        return False
    volume.claimed_until = None
    if outcome.failure_code:
        volume.state, volume.file_id = FAILED, None
        volume.problems = list(outcome.problems)
        _fail(work, batch, volume, outcome)
        return False
    volume.state, volume.ready_at = READY, work.at
    volume.page_count, volume.size_bytes = outcome.page_count, outcome.size_bytes
    volume.sha256 = outcome.sha256
    _follow(work, batch)
    return True


def _follow(work: Work, batch: CouponBatch) -> None:
    """Let the batch's state follow its volumes, while it is still being printed."""
    if batch.state not in (PRINTING, VERIFYING):
        return
    batch.state = state_of_print([volume.state for volume in list_volumes(work, batch.id)])
    if batch.state == READY:
        if batch.released_at is not None:
            batch.state = RELEASED
        events.publish(work, BatchReady(object_id=batch.id))


def _fail(work: Work, batch: CouponBatch, volume: CouponVolume, outcome: Outcome) -> None:
    text = f"Volume {volume.number}: " + "; ".join(outcome.problems)
    batch.failure_code, batch.failure_text = outcome.failure_code, text[:FAILURE_LENGTH_MAX]
    if batch.state in (PRINTING, VERIFYING):
        batch.state = FAILED
    events.publish(work, BatchFailed(object_id=batch.id, failure_code=outcome.failure_code))


def reprint(work: Work, batch_id: UUID, *, volume: int | None = None) -> None:
    """Have volumes printed and checked again, with the same codes, while the key lives.

    Without ``volume``: after a failure those that are not ready, otherwise all.
    Locks: the batch, then its volumes.
    Raises: BatchNotFound, BatchWrongState, PrintDestroyed, VolumeNotFound.
    Publishes: coupon_volume.due_v1.
    """
    batch = require_batch(work, batch_id, lock=True)
    if batch.print_destroyed_at is not None:
        raise PrintDestroyed(destroyed_on=batch.print_destroyed_at.date().isoformat())
    volumes = list_volumes(work, batch_id)
    if batch.state not in (READY, RELEASED, FAILED) or is_claimed(work, batch_id):
        raise BatchWrongState(state=batch.state)
    if batch.is_paperless or (volume is not None and volume not in {row.number for row in volumes}):
        raise VolumeNotFound(volume=volume or 1)
    for row in volumes:
        wanted = volume == row.number if volume is not None else batch.state != FAILED
        if wanted or row.state != READY:
            row.state = DUE
    if batch.state in (READY, FAILED):
        batch.state = PRINTING
    batch.failure_code = batch.failure_text = None
    first_id = find_next_due(work, CouponVolume, batch_id)
    assert first_id is not None
    events.publish(work, VolumeDue(object_id=first_id, batch_id=batch_id))
    audit.record(
        work,
        action="coupon_batch.reprinted",
        subject=f"coupon_batch:{batch_id}",
        details={"volume": volume},
    )
