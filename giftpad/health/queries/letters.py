"""Dead letters of one tenant, and how far those are that were put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, tenancy
from giftpad.health.errors import RedriveNotFound
from giftpad.kernel.work import Scope, Work, unit_of_work

DEAD_SHOWN_MAX = 200

_THROUGH = sa.text("""
    SELECT count(*) FILTER (WHERE o.done_at IS NOT NULL AND d.event_id IS NULL),
        count(*) FILTER (WHERE d.event_id IS NOT NULL)
    FROM event_outbox o
    LEFT JOIN LATERAL (
        SELECT i.event_id FROM event_inbox i
        WHERE i.tenant_id = o.tenant_id AND i.event_id = o.id AND i.outcome = 'dead' LIMIT 1
    ) d ON true
    WHERE o.tenant_id = :tenant AND o.id = ANY (:events)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrive:
    """Dead letters that were put back together, and where they are now."""

    id: UUID
    tenant: tenancy.Tenant
    count: int
    through: int
    dead_again: int
    reason: str
    by: str
    at: datetime

    @property
    def is_over(self) -> bool:
        """Whether each has either arrived or been given up again."""
        return self.through + self.dead_again >= self.count


def list_dead(tenant: tenancy.Tenant) -> Sequence[events.DeadLetter]:
    """Return a tenant's dead letters, oldest first, at most ``DEAD_SHOWN_MAX``."""
    with unit_of_work(Scope(tenant_id=tenant.id)) as work:
        return events.list_dead(work)[:DEAD_SHOWN_MAX]


def find_redrive(work: Work, redrive_id: UUID) -> Redrive:
    """Return how far a redrive is; ``work`` is of the platform tenant.

    Raises: RedriveNotFound.
    """
    entries = audit.list_entries(
        work, audit.EntryFilter(subjects=(f"redrive:{redrive_id}",), limit=1)
    )
    tenant = tenancy.find_tenant_by_slug(entries[0].details["slug"]) if entries else None
    if tenant is None:
        raise RedriveNotFound
    (entry,) = entries
    ids = [UUID(text) for text in entry.details["events"]]
    with unit_of_work(Scope(tenant_id=tenant.id)) as there:
        row = there.session.execute(_THROUGH, {"tenant": tenant.id, "events": ids}).one()
    return Redrive(
        id=redrive_id,
        tenant=tenant,
        count=len(ids),
        through=int(row[0]),
        dead_again=int(row[1]),
        reason=entry.details["reason"],
        by=str(entry.actor.get("id", "")),
        at=entry.at,
    )
