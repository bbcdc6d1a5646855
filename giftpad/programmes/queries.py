"""Reading programmes."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Work
from giftpad.programmes.errors import ProgrammeNotFound
from giftpad.programmes.models import ProgrammeRow
from giftpad.programmes.rules import Programme, ProgrammePage, Validity

PAGE_MAX = 200


def to_programme(row: ProgrammeRow) -> Programme:
    """Return a row as the value the rest of the house works with."""
    return Programme(
        id=row.id,
        slug=row.slug,
        names=row.name,
        unit=row.unit,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        groups=tuple(row.groups),
        areas=tuple(row.areas),
        ceiling_minor=row.ceiling_minor,
        validity=Validity(until=row.valid_until, days=row.valid_days, months=row.valid_months),
        serial_prefix=row.serial_prefix,
        face_text={locale: tuple(lines) for locale, lines in row.face_text.items()},
        template=row.template,
        spendable_from=row.spendable_from,
        quantity_max=row.quantity_max,
        face_value_min_minor=row.face_value_min_minor,
        face_value_max_minor=row.face_value_max_minor,
        gifts=row.gifts,
    )


def get_programme(work: Work, programme_id: UUID) -> Programme:
    """Return one programme.

    Raises: ProgrammeNotFound.
    """
    row = work.session.get(ProgrammeRow, (work.tenant_id, programme_id))
    if row is None:
        raise ProgrammeNotFound
    return to_programme(row)


def find_programme_by_prefix(work: Work, serial_prefix: str) -> Programme | None:
    """Return the programme whose serials begin so, or None."""
    return _find(work, ProgrammeRow.serial_prefix == serial_prefix.upper())


def find_programme_by_slug(work: Work, slug: str) -> Programme | None:
    """Return the programme that its pack calls ``slug``, or None."""
    return _find(work, ProgrammeRow.slug == slug)


def _find(work: Work, condition: sa.ColumnElement[bool]) -> Programme | None:
    statement = sa.select(ProgrammeRow).where(ProgrammeRow.tenant_id == work.tenant_id, condition)
    row = work.session.scalars(statement).one_or_none()
    return None if row is None else to_programme(row)


def list_programmes(work: Work, after: UUID | None = None, *, limit: int = 50) -> ProgrammePage:
    """Return a page of programmes, oldest first."""
    most = min(limit, PAGE_MAX)
    statement = (
        sa.select(ProgrammeRow)
        .where(ProgrammeRow.tenant_id == work.tenant_id)
        .order_by(ProgrammeRow.id)
        .limit(most + 1)
    )
    if after is not None:
        statement = statement.where(ProgrammeRow.id > after)
    rows = list(work.session.scalars(statement))
    items = tuple(to_programme(row) for row in rows[:most])
    return ProgrammePage(items=items, next_after=items[-1].id if len(rows) > most else None)
