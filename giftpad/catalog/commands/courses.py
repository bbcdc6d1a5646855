"""Courses: one is made, changed, filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit
from giftpad.catalog.errors import CodeTaken, CourseNotFound, CourseUnfit, ProductNotFound
from giftpad.catalog.models import CourseProductRow, CourseRow, ProductRow
from giftpad.catalog.rules.goods import CourseFacts
from giftpad.kernel.ids import new_id
from giftpad.kernel.money import get_unit
from giftpad.kernel.work import Work


def add_course(work: Work, facts: CourseFacts) -> UUID:
    """Make a course, empty as yet, and return its id.

    Raises: CodeTaken, CourseUnfit, UnknownUnit.
    """
    _judge(facts)
    course_id = new_id()
    values = asdict(facts) | {
        "tenant_id": work.tenant_id,
        "id": course_id,
        "created_at": work.at,
        "changed_at": work.at,
    }
    added = insert(CourseRow).values(values).on_conflict_do_nothing()
    if work.session.execute(added.returning(CourseRow.id)).first() is None:
        raise CodeTaken(code=facts.code)
    _note(work, "course.added", course_id, code=facts.code)
    return course_id


def change_course(work: Work, course_id: UUID, facts: CourseFacts) -> bool:
    """Make a course what the facts say; False if it was so already.

    Gifts that were given keep the price that they had.
    Locks: the course.
    Raises: CourseNotFound, CodeTaken, CourseUnfit, UnknownUnit.
    """
    _judge(facts)
    row = _lock(work, course_id)
    taken = sa.select(CourseRow.id).where(
        CourseRow.tenant_id == work.tenant_id,
        CourseRow.code == facts.code,
        CourseRow.id != course_id,
    )
    if work.session.execute(taken).first() is not None:
        raise CodeTaken(code=facts.code)
    changed = [name for name, value in asdict(facts).items() if getattr(row, name) != value]
    if not changed:
        return False
    for name in changed:
        setattr(row, name, getattr(facts, name))
    row.changed_at = work.at
    work.session.flush()  # what is asked in this transaction reads past the session
    _note(work, "course.changed", course_id, fields=sorted(changed))
    return True


def fill_course(work: Work, course_id: UUID, product_ids: Sequence[UUID]) -> None:
    """Let a course hold these products, in this order, and no others.

    Locks: the course.
    Raises: CourseNotFound, ProductNotFound.
    """
    _lock(work, course_id)
    known = sa.select(sa.func.count()).where(
        ProductRow.tenant_id == work.tenant_id, ProductRow.id.in_(product_ids)
    )
    if work.session.scalar(known) != len(set(product_ids)):
        raise ProductNotFound
    mine = (
        CourseProductRow.tenant_id == work.tenant_id,
        CourseProductRow.course_id == course_id,
    )
    work.session.execute(sa.delete(CourseProductRow).where(*mine))
    rows = [
        {
            "tenant_id": work.tenant_id,
            "course_id": course_id,
            "product_id": product_id,
            "position": position,
        }
        for position, product_id in enumerate(dict.fromkeys(product_ids), start=1)
    ]
    if rows:
        work.session.execute(insert(CourseProductRow), rows)
    _note(work, "course.filled", course_id, products=len(rows))


def _judge(facts: CourseFacts) -> None:
    get_unit(facts.unit)
    if facts.ends_on < facts.starts_on:
        raise CourseUnfit


def _lock(work: Work, course_id: UUID) -> CourseRow:
    statement = sa.select(CourseRow).where(
        CourseRow.tenant_id == work.tenant_id, CourseRow.id == course_id
    )
    row = work.session.scalars(statement.with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise CourseNotFound
    return row


def _note(work: Work, action: str, course_id: UUID, **details: object) -> None:
    audit.record(work, action=action, subject=f"course:{course_id}", details=details)
