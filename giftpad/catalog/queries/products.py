"""Finding products with their variants and what is left of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from giftpad.catalog.errors import ChoiceNotFound, ProductNotFound
from giftpad.catalog.models import (
    CourseProductRow,
    DailyCountRow,
    ProductRow,
    VariantRow,
)
from giftpad.catalog.queries.available import today
from giftpad.catalog.rules.folding import search_words
from giftpad.catalog.rules.goods import (
    Category,
    ProductFilter,
    ProductPage,
    ProductView,
    VariantView,
)
from giftpad.kernel.work import Work

PAGE_MAX = 200
CATEGORIES_MAX = 200
_CATEGORIES = sa.text(f"""
    SELECT category AS key, (array_agg(category_names ORDER BY code))[1] AS names,
        count(*) AS choice_count
    FROM catalog_products WHERE tenant_id = :tenant AND category <> ''
    GROUP BY category ORDER BY category LIMIT {CATEGORIES_MAX}
""")  # noqa: S608 - the inserted number is this module's own


def get_product(work: Work, product_id: UUID) -> ProductView:
    """Return one product, also a hidden one.

    Raises: ProductNotFound.
    """
    row = work.session.get(ProductRow, (work.tenant_id, product_id), populate_existing=True)
    if row is None:
        raise ProductNotFound
    return views_of(work, [row])[0]


def get_choice(work: Work, course_id: UUID, product_id: UUID) -> ProductView:
    """Return a product of a course that can be had now.

    Raises: ChoiceNotFound, also for what another course offers.
    """
    row = work.session.scalars(
        sa.select(ProductRow)
        .join(
            CourseProductRow,
            sa.and_(
                CourseProductRow.tenant_id == ProductRow.tenant_id,
                CourseProductRow.product_id == ProductRow.id,
            ),
        )
        .where(
            ProductRow.tenant_id == work.tenant_id,
            ProductRow.id == product_id,
            CourseProductRow.course_id == course_id,
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    product = views_of(work, [row])[0] if row is not None else None
    if product is None or not product.is_available:
        raise ChoiceNotFound
    return product


def list_products(
    work: Work, wanted: ProductFilter, *, after: str = "", limit: int = 50
) -> ProductPage:
    """Return a page of products, by their codes; ``after`` is the last code of the page before."""
    most = min(limit, PAGE_MAX)
    statement = sa.select(ProductRow).where(
        ProductRow.tenant_id == work.tenant_id, ProductRow.code > after
    )
    for word in search_words(wanted.text):
        statement = statement.where(sa.func.strpos(ProductRow.search_text, word) > 0)
    if wanted.category:
        statement = statement.where(ProductRow.category == wanted.category)
    if wanted.state:
        statement = statement.where(ProductRow.state == wanted.state)
    if wanted.course_id is not None:
        of_course = sa.select(CourseProductRow.product_id).where(
            CourseProductRow.tenant_id == work.tenant_id,
            CourseProductRow.course_id == wanted.course_id,
        )
        statement = statement.where(ProductRow.id.in_(of_course))
    statement = statement.order_by(ProductRow.code).limit(most + 1)
    rows = list(work.session.scalars(statement))
    items = tuple(views_of(work, rows[:most]))
    return ProductPage(items=items, next_after=items[-1].code if len(rows) > most else None)


def list_product_categories(work: Work) -> tuple[Category, ...]:
    """Return the categories of all products, by name, with how many products each has."""
    rows = work.session.execute(_CATEGORIES, {"tenant": work.tenant_id})
    return tuple(Category(**row) for row in rows.mappings())


def find_product_ids(work: Work, codes: Collection[str]) -> dict[str, UUID]:
    """Return the ids of the products that have these codes, by code."""
    statement = sa.select(ProductRow.code, ProductRow.id).where(
        ProductRow.tenant_id == work.tenant_id, among(ProductRow.code, list(codes), sa.Text)
    )
    return {code: product_id for code, product_id in work.session.execute(statement)}  # noqa: C416 - rows are no plain pairs


def find_variant_id(work: Work, code: str) -> UUID | None:
    """Return the id of the variant with this code, or None."""
    return work.session.scalar(
        sa.select(VariantRow.id).where(
            VariantRow.tenant_id == work.tenant_id, VariantRow.code == code
        )
    )


def among(
    column: Any, values: list[Any], kind: type[sa.types.TypeEngine[Any]]
) -> sa.ColumnElement[bool]:
    """Compare with a list that travels as one parameter: a thousand are slow to write and parse."""
    found: sa.ColumnElement[bool] = column == sa.func.any(sa.bindparam(None, values, ARRAY(kind)))
    return found


def views_of(work: Work, rows: Sequence[ProductRow]) -> list[ProductView]:
    """Return products as they are now, by two statements however many they are."""
    variants = variants_of(work, [row.id for row in rows], today(work))
    return [
        ProductView(
            id=row.id,
            code=row.code,
            kind=row.kind,
            names=row.names,
            descriptions=row.descriptions,
            category=row.category,
            category_names=row.category_names,
            supplier=row.supplier,
            allergens=tuple(row.allergens),
            age_min=row.age_min,
            lead_days=row.lead_days,
            price_minor=row.price_minor,
            unit=row.unit,
            excluded_prefectures=tuple(row.excluded_prefectures),
            state=row.state,
            picture_ids=tuple(row.picture_ids),
            variants=tuple(variants.get(row.id, ())),
        )
        for row in rows
    ]


def variants_of(work: Work, product_ids: list[UUID], day: date) -> dict[UUID, list[VariantView]]:
    """Return the variants of products, by product, each list in its order."""
    counted = sa.and_(
        DailyCountRow.tenant_id == VariantRow.tenant_id,
        DailyCountRow.variant_id == VariantRow.id,
        DailyCountRow.day == day,
    )
    statement = (
        sa.select(*VariantRow.__table__.columns, DailyCountRow.taken_count)
        .outerjoin(DailyCountRow, counted)
        .where(
            VariantRow.tenant_id == work.tenant_id,
            among(VariantRow.product_id, product_ids, sa.Uuid),
        )
        .order_by(VariantRow.product_id, VariantRow.position, VariantRow.id)
    )
    found: dict[UUID, list[VariantView]] = {}
    for row in work.session.execute(statement):
        taken = row.taken_count or 0
        is_left = (row.stock is None or row.stock > 0) and (
            row.daily_limit is None or taken < row.daily_limit
        )
        view = VariantView(
            id=row.id,
            code=row.code,
            names=row.names,
            is_available=is_left,
            stock=row.stock,
            daily_limit=row.daily_limit,
            taken_today=taken,
        )
        found.setdefault(row.product_id, []).append(view)
    return found
