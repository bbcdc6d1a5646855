"""Read the chain, and prove that nobody has changed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from giftpad.audit.models import AuditEntry, AuditHead
from giftpad.audit.rules import GENESIS, entry_hash
from giftpad.kernel.work import Work

PAGE_MAX = 200
VERIFY_CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that somebody did."""

    seq: int
    at: datetime
    actor: dict[str, Any]
    action: str
    subject: str
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first place at which a chain does not hold."""

    seq: int
    reason: str

    def __str__(self) -> str:
        return f"audit entry {self.seq}: {self.reason}"


def list_entries(
    work: Work, *, subject: str | None = None, before: int | None = None, limit: int = PAGE_MAX
) -> Sequence[Entry]:
    """Return entries, newest first, at most ``PAGE_MAX``."""
    query = sa.select(AuditEntry).where(AuditEntry.tenant_id == work.tenant_id)
    if subject is not None:
        query = query.where(AuditEntry.subject == subject)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    rows = work.session.execute(
        query.order_by(AuditEntry.seq.desc()).limit(min(limit, PAGE_MAX))
    ).scalars()
    return [
        Entry(
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            details=row.details,
        )
        for row in rows
    ]


def verify(work: Work) -> Break | None:
    """Recompute the tenant's chain from its first entry; None if every hash holds."""
    query = sa.select(AuditEntry).where(AuditEntry.tenant_id == work.tenant_id)
    with work.session.execute(
        query.order_by(AuditEntry.seq).execution_options(yield_per=VERIFY_CHUNK)
    ) as result:
        found, seq, last = _follow(result.scalars())
    if found is not None:
        return found
    head = work.session.execute(
        sa.select(AuditHead).where(AuditHead.tenant_id == work.tenant_id)
    ).scalar_one_or_none()
    if head is not None and (head.seq, head.hash) != (seq, last):
        return Break(seq=seq + 1, reason="the chain's end is missing or was changed")
    return None


def _follow(rows: Iterable[AuditEntry]) -> tuple[Break | None, int, bytes]:
    """Follow entries from the first; return where they break, the last number and its hash."""
    seq, last = 0, GENESIS
    for row in rows:
        if row.seq != seq + 1:
            return Break(seq=seq + 1, reason="is missing"), seq, last
        digest = entry_hash(
            last,
            tenant_id=row.tenant_id,
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            details=row.details,
        )
        if digest != row.hash:
            return Break(seq=row.seq, reason="was changed"), seq, last
        seq, last = row.seq, row.hash
    return None, seq, last
