"""What a course lets somebody choose from now, page by page, by category and by words."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.catalog.queries.available import IS_AVAILABLE, today
from giftpad.catalog.rules.folding import search_words
from giftpad.catalog.rules.goods import Category, Choice, ChoicePage
from giftpad.kernel.work import Work

CHOICES_MAX = 100
_OF_COURSE = f"""
    FROM catalog_course_products cp
    JOIN catalog_products p ON p.tenant_id = cp.tenant_id AND p.id = cp.product_id
    WHERE cp.tenant_id = :tenant AND cp.course_id = :course AND {IS_AVAILABLE}
"""
_IS_AFFORDED = """
    (CAST(:price_max AS bigint) IS NULL OR p.price_minor BETWEEN 1 AND CAST(:price_max AS bigint))
"""
# A page begins after the place of the last one before it, also if that is gone by now.
_CHOICES = sa.text(f"""
    SELECT p.id AS product_id, p.code, p.kind, p.names, p.category, p.category_names,
        p.allergens, p.age_min, p.price_minor, p.picture_ids[1] AS picture_id
    {_OF_COURSE}
        AND {_IS_AFFORDED}
        AND (:category = '' OR p.category = :category)
        AND NOT EXISTS (
            SELECT FROM unnest(CAST(:words AS text[])) AS word
            WHERE position(word IN p.search_text) = 0
        )
        AND (CAST(:after AS uuid) IS NULL OR (cp.position, cp.product_id) > (
            SELECT last.position, last.product_id FROM catalog_course_products last
            WHERE last.tenant_id = :tenant AND last.course_id = :course
                AND last.product_id = :after
        ))
    ORDER BY cp.position, cp.product_id
    LIMIT :most
""")  # noqa: S608 - the inserted texts are this package's own
_CATEGORIES = sa.text(f"""
    SELECT p.category AS key, (array_agg(p.category_names ORDER BY cp.position))[1] AS names,
        count(*) AS choice_count
    {_OF_COURSE} AND {_IS_AFFORDED} AND p.category <> ''
    GROUP BY p.category ORDER BY min(cp.position), p.category
""")


def list_choices(
    work: Work,
    course_id: UUID,
    *,
    text: str = "",
    category: str = "",
    price_max: int | None = None,
    after: UUID | None = None,
    limit: int = 30,
) -> ChoicePage:
    """Return a page of what can be had of a course now, the recommended first.

    All words of ``text`` must be found, in kana of either kind, in any width and case.  Where
    each thing has its own price, ``price_max`` leaves out what costs more, or has no price.
    """
    most = min(limit, CHOICES_MAX)
    values = {
        "tenant": work.tenant_id,
        "course": course_id,
        "day": today(work),
        "category": category,
        "words": search_words(text),
        "price_max": price_max,
        "after": after,
        "most": most + 1,
    }
    rows = work.session.execute(_CHOICES, values).mappings().all()
    items = tuple(Choice(**{**row, "allergens": tuple(row["allergens"])}) for row in rows[:most])
    return ChoicePage(items=items, next_after=items[-1].product_id if len(rows) > most else None)


def list_categories(
    work: Work, course_id: UUID, *, price_max: int | None = None
) -> tuple[Category, ...]:
    """Return the categories of what can be had of a course now, as the course is ordered."""
    values = {
        "tenant": work.tenant_id,
        "course": course_id,
        "day": today(work),
        "price_max": price_max,
    }
    rows = work.session.execute(_CATEGORIES, values)
    return tuple(Category(**row) for row in rows.mappings())
