"""Adding what happened to the daily figures, and building them anew from the books."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad.kernel.work import Work, rows_changed
from giftpad.reporting.models import ReportingDay
from giftpad.reporting.queries import FACTS, fact_values
from giftpad.reporting.rules import COUNTED, Change, sum_up
from giftpad.tenancy import get_tenant

_LOCK = sa.text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))")
_LOCK_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_COLUMNS = ", ".join(COUNTED)
_FILL = sa.text(f"""
    WITH {FACTS}
    INSERT INTO reporting_days (tenant_id, programme_id, day, unit, {_COLUMNS})
    SELECT :tenant, programme_id, day, unit, {_COLUMNS} FROM facts
""")  # noqa: S608 - made of names in this house
_FIRST_MOVED = sa.text("""
    SELECT (at AT TIME ZONE :zone)::date FROM ledger_transfers
    WHERE tenant_id = :tenant ORDER BY id LIMIT 1
""")


def _lock_name(work: Work) -> dict[str, str]:
    return {"name": f"reporting:{work.tenant_id}"}


def add_changes(work: Work, changes: Iterable[Change]) -> None:
    """Add what events tell to the figures of their days.

    Locks: the tenant's figures against a rebuild, then the rows of the days, in their order.
    """
    work.session.execute(_LOCK, _lock_name(work))
    zone = get_tenant(work.tenant_id).zone
    for (programme_id, day, unit), figures in sum_up(changes, zone).items():
        row = {"tenant_id": work.tenant_id, "programme_id": programme_id, "day": day}
        work.session.execute(
            insert(ReportingDay)
            .values(**row, unit=unit, **figures)
            .on_conflict_do_update(
                index_elements=["tenant_id", "programme_id", "day"],
                set_={
                    name: sa.text(f"reporting_days.{name} + excluded.{name}") for name in figures
                },
            )
        )


def rebuild(work: Work) -> int:
    """Build the tenant's figures anew from the ledger; return how many days they have.

    What has happened but whose event has not arrived yet is left to its event.
    Locks: the tenant's figures, against every event.
    """
    work.session.execute(_LOCK_ALONE, _lock_name(work))
    work.session.execute(sa.delete(ReportingDay).where(ReportingDay.tenant_id == work.tenant_id))
    return rows_changed(work.session.execute(_FILL, fact_values(work)))


def catch_up(work: Work) -> int | None:
    """Build figures that begin later than the ledger, as after an upgrade; None if none does.

    It reads one transfer and one day where nothing is missing, so every start may ask.
    Locks: as ``rebuild``, if there is something to build.
    """
    first_moved = work.session.execute(_FIRST_MOVED, fact_values(work)).scalar_one_or_none()
    first_day: date | None = work.session.execute(
        sa.select(sa.func.min(ReportingDay.day)).where(ReportingDay.tenant_id == work.tenant_id)
    ).scalar_one()
    if first_moved is None or (first_day is not None and first_day <= first_moved):
        return None
    return rebuild(work)
