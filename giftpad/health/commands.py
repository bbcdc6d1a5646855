"""Keeping what was measured, and putting dead letters back for an operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, events, gifts, tenancy
from giftpad.health.errors import NothingDead
from giftpad.health.models import HealthFigure
from giftpad.health.rules import BACKUP, PROOF
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work, unit_of_work

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)


def keep_figures(work: Work, figures: Mapping[str, Any]) -> None:
    """Take what was measured for what is so now; ``work`` is of the platform tenant."""
    assert work.tenant_id == tenancy.PLATFORM_TENANT_ID
    if not figures:
        return
    rows = [
        {"tenant_id": work.tenant_id, "name": name, "value": value, "measured_at": work.at}
        for name, value in sorted(figures.items())
    ]
    statement = insert(HealthFigure).values(rows)
    work.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "name"],
            set_={
                "value": statement.excluded.value,
                "measured_at": statement.excluded.measured_at,
            },
        )
    )


def forget_figures(work: Work, names: list[str]) -> None:
    """Drop figures of what is here no more."""
    work.session.execute(
        sa.delete(HealthFigure).where(
            HealthFigure.tenant_id == work.tenant_id, HealthFigure.name.in_(names)
        )
    )


def note_proof(slug: str, *, faults: int, seconds: float) -> None:
    """Write down that a tenant's books were proved now, with so many differences."""
    with unit_of_work(PLATFORM) as work:
        keep_figures(work, {PROOF + slug: {"faults": faults, "seconds": round(seconds, 3)}})


def note_backup(*, database_bytes: int, files: int) -> None:
    """Write down that a backup was taken now."""
    with unit_of_work(PLATFORM) as work:
        keep_figures(work, {BACKUP: {"database_bytes": database_bytes, "files": files}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Redriven:
    """Dead letters that were put back together; found again by ``id``."""

    id: UUID
    count: int


def redrive(scope: Scope, *, tenant: tenancy.Tenant, count: int, reason: str) -> Redriven:
    """Put the oldest dead letters of one tenant back, as its record and the platform's will say.

    ``scope`` is the operator's.  The rails are the tenant's, so that comes first, in a
    transaction of its own; a crash in between leaves the tenant's record and not the other.
    Locks: the receipts of these events.
    Raises: NothingDead.
    """
    redrive_id = new_id()
    there = Scope(tenant_id=tenant.id, actor=scope.actor, request_id=scope.request_id)
    with unit_of_work(there) as work:
        letters = events.list_dead(work)
        wanted = list(dict.fromkeys(letter.event_id for letter in letters))[:count]
        put_back = [event_id for event_id in wanted if events.redrive(work, event_id)]
        if not put_back:
            raise NothingDead
        details = {"count": len(put_back), "reason": reason}
        audit.record(
            work, action="event.redriven", subject=f"redrive:{redrive_id}", details=details
        )
    with unit_of_work(scope) as work:
        audit.record(
            work,
            action="event.redriven",
            subject=f"redrive:{redrive_id}",
            details=details | {"slug": tenant.slug, "events": [str(one) for one in put_back]},
        )
    return Redriven(id=redrive_id, count=len(put_back))


def redrive_gift_order(scope: Scope, *, tenant: tenancy.Tenant, order_id: UUID, reason: str) -> int:
    """Start a tenant's gift order again where it stands; return how many things went on.

    ``scope`` is the operator's.  As with dead letters the tenant comes first, and its record and
    the platform's both name who did it and why.
    Raises: OrderNotFound, NothingToRedrive.
    """
    there = Scope(tenant_id=tenant.id, actor=scope.actor, request_id=scope.request_id)
    with unit_of_work(there) as work:
        count = sum(gifts.redrive_order(work, order_id, reason=reason).values())
    with unit_of_work(scope) as work:
        audit.record(
            work,
            action="gift_order.redriven",
            subject=f"gift_order:{order_id}",
            details={"slug": tenant.slug, "reason": reason, "count": count},
        )
    return count
