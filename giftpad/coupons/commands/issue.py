"""Issuing a batch chunk by chunk: accounts, value and aliases, in one transaction a chunk."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import sqlalchemy as sa

from giftpad import events, ledger, payments
from giftpad.coupons.adapters.press import unwrap_key
from giftpad.coupons.events import ChunkDue, CouponsIssued, VolumeDue
from giftpad.coupons.models import CouponBatch, CouponChunk, CouponVolume
from giftpad.coupons.models.finding import find_next_due, lock_chunk, require_batch
from giftpad.coupons.rules import DONE, DUE, ISSUING, ORDERED, PRINTING, RUNNING
from giftpad.kernel.codes import build_typed
from giftpad.kernel.work import Work
from giftpad.tenancy import find_ring_key


def start_chunk(work: Work, chunk_id: UUID) -> bool:
    """Note that a chunk has begun and pass the word to the next; False if nothing is left to do.

    Each chunk calls the next one when it begins, so idle workers join in one by one and no more
    than one hint waits at any time.
    Locks: the chunk, then its batch.
    Publishes: coupon_chunk.due_v1 of the next chunk.
    """
    chunk = lock_chunk(work, chunk_id)
    if chunk.state == DUE:
        chunk.state = RUNNING
        batch = require_batch(work, chunk.batch_id, lock=True)
        if batch.state == ORDERED:
            batch.state = ISSUING
        next_id = find_next_due(work, CouponChunk, chunk.batch_id, after=chunk.number)
        if next_id is not None:
            events.publish(work, ChunkDue(object_id=next_id, batch_id=chunk.batch_id))
    return chunk.state != DONE


def issue_chunk(work: Work, chunk_id: UUID) -> None:
    """Issue every coupon of a chunk, once; after a batch's last chunk its print is due.

    Locks: the chunk, then the batch.
    Publishes: coupon_range.issued_v1, and coupon_volume.due_v1 of the first volume.
    """
    chunk = lock_chunk(work, chunk_id)
    if chunk.state == DONE:
        return
    batch = require_batch(work, chunk.batch_id)
    source_id = ledger.find_account(work, batch.programme_id, "funding", batch.programme_id)
    assert source_id is not None
    first = batch.locator_first + chunk.serial_first - batch.serial_first
    payments.issue_instruments(
        work,
        payments.IssueChunk(
            terms_id=batch.terms_id,
            entry_id=chunk.id,
            source_id=source_id,
            amount_minor=batch.face_value_minor,
            locator_first=first,
            count=chunk.quantity,
            code_hashes=_code_hashes(batch, range(first, first + chunk.quantity)),
        ),
    )
    chunk.state, chunk.done_at = DONE, work.at
    events.publish(
        work,
        CouponsIssued(
            object_id=batch.id,
            programme_id=batch.programme_id,
            unit=batch.unit,
            count=chunk.quantity,
            amount_minor=chunk.quantity * batch.face_value_minor,
            at=work.at,
        ),
    )
    # The last two chunks may end at the same time; whoever holds the batch second sees the other.
    batch = require_batch(work, chunk.batch_id, lock=True)
    if _count_open(work, batch.id) == 0:
        batch.state = PRINTING
        volume_id = find_next_due(work, CouponVolume, batch.id)
        assert volume_id is not None
        events.publish(work, VolumeDue(object_id=volume_id, batch_id=batch.id))


def _code_hashes(batch: CouponBatch, locators: range) -> Iterator[bytes]:
    ring_key = find_ring_key(batch.tenant_id, batch.kid)
    assert ring_key is not None
    key, pepper = unwrap_key(batch), payments.pepper(ring_key.key)
    tenant_id = batch.tenant_id
    return (
        payments.hash_typed(pepper, tenant_id, build_typed(key, locator)) for locator in locators
    )


def _count_open(work: Work, batch_id: UUID) -> int:
    return work.session.execute(
        sa.select(sa.func.count()).where(
            CouponChunk.tenant_id == work.tenant_id,
            CouponChunk.batch_id == batch_id,
            CouponChunk.state != DONE,
        )
    ).scalar_one()
