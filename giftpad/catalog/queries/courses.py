"""Finding courses, each with how much of it can be had now."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from giftpad.catalog.errors import CourseNotFound
from giftpad.catalog.models import CourseProductRow
from giftpad.catalog.queries.available import IS_AVAILABLE, today
from giftpad.catalog.rules.goods import Course
from giftpad.kernel.work import Work

COURSES_MAX = 500
_COURSES = sa.text(f"""
    SELECT c.id, c.code, c.names, c.price_minor, c.unit, c.starts_on, c.ends_on, (
        SELECT count(*) FROM catalog_course_products cp
        JOIN catalog_products p ON p.tenant_id = cp.tenant_id AND p.id = cp.product_id
        WHERE cp.tenant_id = c.tenant_id AND cp.course_id = c.id AND {IS_AVAILABLE}
    ) AS choice_count
    FROM catalog_courses c
    WHERE c.tenant_id = :tenant
        AND (CAST(:only AS uuid) IS NULL OR c.id = :only)
        AND (CAST(:on AS date) IS NULL OR :on BETWEEN c.starts_on AND c.ends_on)
    ORDER BY c.price_minor, c.code
    LIMIT {COURSES_MAX}
""")  # noqa: S608 - the inserted texts are this package's own


def get_course(work: Work, course_id: UUID) -> Course:
    """Return one course, whether or not it is given now.

    Raises: CourseNotFound.
    """
    found = _find(work, only=course_id, on=None)
    if not found:
        raise CourseNotFound
    return found[0]


def list_courses(work: Work, *, on: date | None = None) -> list[Course]:
    """Return the courses that are given on a day, or all, the cheapest first."""
    return _find(work, only=None, on=on)


def list_courses_of(work: Work, product_id: UUID) -> list[Course]:
    """Return the courses that hold a product, the cheapest first."""
    held = sa.select(CourseProductRow.course_id).where(
        CourseProductRow.tenant_id == work.tenant_id, CourseProductRow.product_id == product_id
    )
    ids = set(work.session.scalars(held))
    return [course for course in list_courses(work) if course.id in ids] if ids else []


def _find(work: Work, *, only: UUID | None, on: date | None) -> list[Course]:
    values = {"tenant": work.tenant_id, "only": only, "on": on, "day": today(work)}
    rows = work.session.execute(_COURSES, values)
    return [Course(**row) for row in rows.mappings()]
