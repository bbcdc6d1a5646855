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
    work: Work,
    wanted: EntryFilter | None = None,
    *,
    subject: str | None = None,
    before: int | None = None,
    limit: int = PAGE_MAX,
) -> Sequence[Entry]:
    """Return entries, newest first, at most ``PAGE_MAX``.

    Instead of a filter the subject alone may be given.
    """
    if wanted is None:
        subjects = () if subject is None else (subject,)
        wanted = EntryFilter(subjects=subjects, before=before, limit=limit)
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
