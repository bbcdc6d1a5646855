"""What happened to one coupon, from the order of its batch to its last payment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, payments
from giftpad.coupons.models import CouponChunk, CouponVolume
from giftpad.coupons.models.finding import Found, find_predecessors, require_coupon
from giftpad.coupons.models.instruments import require_instrument
from giftpad.coupons.rules import format_serial
from giftpad.kernel.work import Work

HISTORY_MAX = 200
OF_BATCH = ("coupon_batch.ordered", "coupon_batch.released", "coupon_batch.expired")
OF_COUPON = ("coupon.blocked", "coupon.unblocked", "coupon.replaced")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One thing that happened to a coupon.

    ``kind`` is ordered, issued, checked, released, expired, blocked, unblocked, replaced,
    replaces, pay, void or refund; ``serial`` is the other coupon's where one took its place.
    """

    at: datetime
    kind: str
    who: dict[str, Any] | None = None
    amount_minor: int | None = None
    balance_minor: int | None = None
    shop_id: UUID | None = None
    payment_id: UUID | None = None
    serial: str | None = None
    reason: str = ""


def list_history(work: Work, serial: str) -> tuple[HistoryLine, ...]:
    """Return what happened to a coupon, newest first, at most ``HISTORY_MAX`` of each sort.

    What was paid with a coupon that it replaces, or that replaces it, moved the same value and is
    listed too.
    Raises: CouponNotFound.
    """
    found = require_coupon(work, serial)
    account_id = require_instrument(work, found).account_id
    lines = [
        *_movements(work, account_id),
        *_deeds(work, found),
        *_makings(work, found),
    ]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True))


def _movements(work: Work, account_id: UUID) -> Iterator[HistoryLine]:
    for moved in payments.list_movements(work, account_id, HISTORY_MAX):
        kind, _, actor_id = moved.actor.partition(":")
        yield HistoryLine(
            at=moved.at,
            kind=moved.kind,
            who={"kind": kind, "id": actor_id},
            amount_minor=moved.amount_minor,
            balance_minor=moved.balance_minor,
            shop_id=moved.shop_id,
            payment_id=moved.payment_id,
            reason=moved.reason,
        )


def _deeds(work: Work, found: Found) -> Iterator[HistoryLine]:
    """Return what people did to the coupon, to a run it lies in, and to its batch."""
    own = f"coupon:{found.serial}"
    subjects = [own, f"coupon_batch:{found.batch.id}"]
    old_number = find_predecessors(work, [found.batch.id]).get(found.batch.id)
    old = None if old_number is None else format_serial(found.batch.prefix, old_number)
    by_subject = audit.EntryFilter(
        subjects=subjects, actions=OF_BATCH + OF_COUPON, limit=HISTORY_MAX
    )
    by_run = audit.EntryFilter(actions=OF_COUPON[:2], run_over=own, limit=HISTORY_MAX)
    entries = {
        entry.seq: entry
        for wanted in (by_subject, by_run)
        for entry in audit.list_entries(work, wanted)
    }
    for entry in entries.values():
        yield _line(entry, entry.action.rpartition(".")[2], serial=entry.details.get("by"))
    if old is not None:
        of_old = audit.EntryFilter(subjects=[f"coupon:{old}"], actions=OF_COUPON[2:])
        for entry in audit.list_entries(work, of_old):
            yield _line(entry, "replaces", serial=old)


def _line(entry: audit.Entry, kind: str, *, serial: str | None) -> HistoryLine:
    return HistoryLine(
        at=entry.at,
        kind=kind,
        who=entry.actor,
        serial=serial,
        reason=entry.details.get("reason") or "",
    )


def _makings(work: Work, found: Found) -> Iterator[HistoryLine]:
    """Return when the coupon's value was booked and when its print was read back."""
    for kind, table, instant in (
        ("issued", CouponChunk, CouponChunk.done_at),
        ("checked", CouponVolume, CouponVolume.ready_at),
    ):
        at = work.session.execute(
            sa.select(instant)
            .where(
                table.tenant_id == work.tenant_id,
                table.batch_id == found.batch.id,
                table.serial_first <= found.number,
            )
            .order_by(table.number.desc())
            .limit(1)
        ).scalar_one_or_none()
        if at is not None:
            yield HistoryLine(at=at, kind=kind)
