"""Keeping one of a variant for somebody, or another instead: the last one goes to one only.

Hides: which row is locked when.  Whoever takes holds the row of their taking, then the rows of
the variants in the order of their ids, and the count of the day below its variant; so two who
change their minds the opposite way do not wait for each other for ever.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import tenancy
from giftpad.catalog.errors import ChoiceNotFound, NotDelivered, SoldOut
from giftpad.catalog.models import (
    CourseProductRow,
    DailyCountRow,
    DigitalCodeRow,
    ProductRow,
    TakingRow,
    VariantRow,
)
from giftpad.catalog.queries import get_taken
from giftpad.catalog.queries.available import today
from giftpad.catalog.rules.goods import Taken, Taking
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Work, rows_changed, savepoint

CODE_TABLE, CODE_COLUMN = "catalog_digital_codes", "code_sealed"


def take(work: Work, taking: Taking) -> Taken:
    """Keep one of a variant for whatever ``for_id`` is, and return what is kept.

    Twice the same is once.  Another variant of the same course takes the place of the one before,
    which is given back; a refusal leaves that one as it was.
    Locks: the taking; the variants, by id, where they have an end; the count of the day.
    Raises: ChoiceNotFound, NotDelivered, SoldOut.
    """
    with savepoint(work):  # whoever goes on after a refusal has lost and taken nothing
        is_new, held = _hold(work, taking)
        if is_new or held.variant_id != taking.variant_id:
            product = _find_choice(work, taking)
            _lock_variants(work, {held.variant_id, taking.variant_id})
            if not is_new:
                _return(work, held)
            held.course_id, held.variant_id = taking.course_id, taking.variant_id
            held.taken_at = work.at
            _take_one(work, held, product)
    return get_taken(work, taking.for_id)


def find_digital_code(work: Work, for_id: UUID) -> str | None:
    """Open the code that is kept for ``for_id``, or return None if there is none.

    From now on it is spent for them, also when something else takes its place.
    Locks: the code.
    """
    row = work.session.scalars(_code_of(work, for_id)).one_or_none()
    if row is None:
        return None
    if row.shown_at is None:
        row.shown_at = work.at
        work.session.flush()  # what follows in this transaction may put something else in its place
    place = column_place(work.tenant_id, CODE_TABLE, CODE_COLUMN, row.id)
    return tenancy.open_text(work.tenant_id, place, row.code_sealed)


def _hold(work: Work, taking: Taking) -> tuple[bool, TakingRow]:
    """Hold the row of a taking against a second request for the same; tell whether it is new."""
    values = {
        "tenant_id": work.tenant_id,
        "for_id": taking.for_id,
        "course_id": taking.course_id,
        "variant_id": taking.variant_id,
        "is_counted": False,
        "day": None,
        "taken_at": work.at,
    }
    known = sa.select(VariantRow.id).where(
        VariantRow.tenant_id == work.tenant_id, VariantRow.id == taking.variant_id
    )
    if work.session.execute(known).first() is None:
        raise ChoiceNotFound
    added = insert(TakingRow).values(values).on_conflict_do_nothing()
    is_new = work.session.execute(added.returning(TakingRow.for_id)).first() is not None
    found = (
        sa.select(TakingRow)
        .where(TakingRow.tenant_id == work.tenant_id, TakingRow.for_id == taking.for_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return is_new, work.session.scalars(found).one()


def _find_choice(work: Work, taking: Taking) -> ProductRow:
    """Return the product of a variant, if the course offers it there."""
    statement = (
        sa.select(ProductRow)
        .join(
            VariantRow,
            sa.and_(
                VariantRow.tenant_id == ProductRow.tenant_id,
                VariantRow.product_id == ProductRow.id,
            ),
        )
        .join(
            CourseProductRow,
            sa.and_(
                CourseProductRow.tenant_id == ProductRow.tenant_id,
                CourseProductRow.product_id == ProductRow.id,
            ),
        )
        .where(
            ProductRow.tenant_id == work.tenant_id,
            VariantRow.id == taking.variant_id,
            CourseProductRow.course_id == taking.course_id,
            ProductRow.state == "active",
        )
    )
    product = work.session.scalars(statement).one_or_none()
    if product is None:
        raise ChoiceNotFound
    if taking.prefecture and taking.prefecture in product.excluded_prefectures:
        raise NotDelivered(prefecture=taking.prefecture)
    return product


def _lock_variants(work: Work, variant_ids: set[UUID]) -> None:
    """Hold those of the variants that have an end; of the others nobody needs to wait."""
    has_end = VariantRow.stock.is_not(None) | VariantRow.daily_limit.is_not(None)
    statement = (
        sa.select(VariantRow.id)
        .where(VariantRow.tenant_id == work.tenant_id, VariantRow.id.in_(variant_ids), has_end)
        .order_by(VariantRow.id)
        # What points to a variant may come in meanwhile: its id does not change.
        .with_for_update(key_share=True)
    )
    work.session.execute(statement).all()


def _take_one(work: Work, held: TakingRow, product: ProductRow) -> None:
    """Take one out of the stock and the day's count of the held variant, and a code if it is one.

    Each statement changes a row only where something is left, so that the last one goes once
    whatever was read before.
    """
    mine = (VariantRow.tenant_id == work.tenant_id, VariantRow.id == held.variant_id)
    stock, daily_limit = work.session.execute(
        sa.select(VariantRow.stock, VariantRow.daily_limit).where(*mine)
    ).one()
    held.is_counted, held.day = stock is not None, None
    if stock is not None:
        taken = sa.update(VariantRow).where(*mine, VariantRow.stock > 0)
        taken = taken.values(stock=VariantRow.stock - 1)
        if rows_changed(work.session.execute(taken)) == 0:
            raise SoldOut
    if daily_limit is not None:
        held.day = today(work)
        _count_one(work, held.variant_id, held.day, limit=daily_limit)
    work.session.flush()  # a code points to the taking by what it is kept for
    if product.kind == "digital":
        _take_code(work, held)


def _count_one(work: Work, variant_id: UUID, day: date, *, limit: int) -> None:
    if limit == 0:
        raise SoldOut
    values = {
        "tenant_id": work.tenant_id,
        "variant_id": variant_id,
        "day": day,
        "taken_count": 1,
    }
    counted = insert(DailyCountRow).values(values)
    counted = counted.on_conflict_do_update(
        index_elements=["tenant_id", "variant_id", "day"],
        set_={"taken_count": DailyCountRow.taken_count + 1},
        where=DailyCountRow.taken_count < limit,
    )
    if work.session.execute(counted.returning(DailyCountRow.day)).first() is None:
        raise SoldOut


def _take_code(work: Work, held: TakingRow) -> None:
    """Give the oldest free code; whoever else wants one waits for the variant's row."""
    statement = (
        sa.select(DigitalCodeRow)
        .where(
            DigitalCodeRow.tenant_id == work.tenant_id,
            DigitalCodeRow.variant_id == held.variant_id,
            DigitalCodeRow.taken_for.is_(None),
        )
        .order_by(DigitalCodeRow.id)
        .limit(1)
        .with_for_update()
    )
    code = work.session.scalars(statement).one_or_none()
    if code is None:
        raise SoldOut
    code.taken_for = held.for_id
    work.session.flush()  # the statements beside the session must find it so


def _return(work: Work, held: TakingRow) -> None:
    """Put back what a taking took; a code that somebody has seen stays theirs."""
    if _release_code(work, held) and held.is_counted:
        work.session.execute(
            sa.update(VariantRow)
            .where(
                VariantRow.tenant_id == work.tenant_id,
                VariantRow.id == held.variant_id,
                VariantRow.stock.is_not(None),
            )
            .values(stock=VariantRow.stock + 1)
        )
    if held.day is not None:
        work.session.execute(
            sa.update(DailyCountRow)
            .where(
                DailyCountRow.tenant_id == work.tenant_id,
                DailyCountRow.variant_id == held.variant_id,
                DailyCountRow.day == held.day,
                DailyCountRow.taken_count > 0,
            )
            .values(taken_count=DailyCountRow.taken_count - 1)
        )


def _release_code(work: Work, held: TakingRow) -> bool:
    """Free the code of a taking; False if it was opened already, and so is spent."""
    code = work.session.scalars(_code_of(work, held.for_id)).one_or_none()
    if code is None:
        return True
    if code.shown_at is None:
        code.taken_for = None
    else:
        code.given_back_at = work.at
    work.session.flush()  # the next code of this taking must find its place free
    return code.shown_at is None


def _code_of(work: Work, for_id: UUID) -> sa.Select[DigitalCodeRow]:
    return (
        sa.select(DigitalCodeRow)
        .where(
            DigitalCodeRow.tenant_id == work.tenant_id,
            DigitalCodeRow.taken_for == for_id,
            DigitalCodeRow.given_back_at.is_(None),
        )
        .with_for_update()
    )
