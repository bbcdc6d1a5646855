"""Read the chain, and prove that nobody has changed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from giftpad.audit.models import AuditEntry, AuditHead
from giftpad.audit.rules import GENESIS, EntryFilter, entry_hash
from giftpad.kernel.work import Work

PAGE_MAX = 200
VERIFY_CHUNK = 5_000
EVERYTHING = EntryFilter()


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


def list_entries(work: Work, wanted: EntryFilter = EVERYTHING) -> Sequence[Entry]:
    """Return the entries that are wanted, newest first, at most ``PAGE_MAX``."""
    rows = work.session.execute(
        sa.select(AuditEntry)
        .where(AuditEntry.tenant_id == work.tenant_id, *_conditions(wanted))
        .order_by(AuditEntry.seq.desc())
        .limit(min(wanted.limit, PAGE_MAX))
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


def _conditions(wanted: EntryFilter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.subjects:
        yield AuditEntry.subject.in_(wanted.subjects)
    if wanted.actions:
        yield AuditEntry.action.in_(wanted.actions)
    if wanted.action_prefix:
        yield AuditEntry.action.startswith(wanted.action_prefix, autoescape=True)
    if wanted.run_over:
        yield from _goes_over(wanted.run_over)
    if wanted.actor_id:
        yield AuditEntry.actor["id"].astext == wanted.actor_id
    if wanted.since is not None:
        yield AuditEntry.at >= wanted.since
    if wanted.until is not None:
        yield AuditEntry.at < wanted.until
    if wanted.before is not None:
        yield AuditEntry.seq < wanted.before


def _goes_over(subject: str) -> Iterator[sa.ColumnElement[bool]]:
    """Whether an entry's run, from its subject to ``details.to``, goes over ``subject``.

    Numbers of one kind are compared by their length first, since only short ones are filled up.
    """
    kind, _, own = subject.partition(":")
    family = own.rstrip("0123456789")
    first = AuditEntry.subject
    last = AuditEntry.details["to"].astext
    yield first.startswith(f"{kind}:{family}", autoescape=True)
    yield sa.tuple_(sa.func.length(first), first) <= sa.tuple_(
        sa.literal(len(subject)), sa.literal(subject)
    )
    yield sa.tuple_(sa.func.length(last), last) >= sa.tuple_(sa.literal(len(own)), sa.literal(own))


def verify(work: Work) -> Break | None:
    """Recompute the tenant's chain from its first entry; None if every hash holds.

    Entries may be recorded meanwhile: the head is read before them and again after them.
    """
    head_seq, head_hash = _read_head(work)
    query = sa.select(AuditEntry).where(AuditEntry.tenant_id == work.tenant_id)
    with work.session.execute(
        query.order_by(AuditEntry.seq).execution_options(yield_per=VERIFY_CHUNK)
    ) as result:
        found, seq, hash_at_head = _follow(result.scalars(), head_seq)
    if found is not None:
        return found
    if hash_at_head != head_hash or seq > _read_head(work)[0]:
        reason = "the chain's end is missing or was changed"
        return Break(seq=min(seq, head_seq) + 1, reason=reason)
    return None


def _read_head(work: Work) -> tuple[int, bytes]:
    head = work.session.execute(
        sa.select(AuditHead.seq, AuditHead.hash).where(AuditHead.tenant_id == work.tenant_id)
    ).one_or_none()
    return (head.seq, head.hash) if head is not None else (0, GENESIS)


def _follow(rows: Iterable[AuditEntry], head_seq: int) -> tuple[Break | None, int, bytes]:
    """Follow entries from the first; return where they break, the last number, the head's hash.

    The hash is that of the entry the head names, or of the last one where that is missing.
    """
    seq, last, hash_at_head = 0, GENESIS, GENESIS
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
        if seq <= head_seq:
            hash_at_head = last
    return None, seq, hash_at_head
