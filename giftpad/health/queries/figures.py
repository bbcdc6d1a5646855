"""The figures as they were kept last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from giftpad.health.models import HealthFigure
from giftpad.health.rules import PROOF, Figure, Health, judge_age
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.tenancy import PLATFORM_TENANT_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How long ago a tenant's books were proved, and how long that took."""

    age: timedelta
    seconds: float


def read_health(work: Work) -> Health:
    """Return every figure with its age; ``work`` is of the platform tenant."""
    rows = work.session.scalars(
        sa.select(HealthFigure).where(HealthFigure.tenant_id == work.tenant_id)
    )
    figures = {
        row.name: Figure(
            value=row.value,
            measured_at=row.measured_at,
            is_known=judge_age(row.name, row.measured_at, work.at),
        )
        for row in rows
    }
    return Health(figures=figures, at=work.at)


def find_proof(slug: str) -> Proof | None:
    """Return the last proof of a tenant's books."""
    with unit_of_work(Scope(tenant_id=PLATFORM_TENANT_ID)) as work:
        row = work.session.get(HealthFigure, (work.tenant_id, PROOF + slug))
        if row is None:
            return None
        return Proof(age=work.at - row.measured_at, seconds=float(row.value["seconds"]))
