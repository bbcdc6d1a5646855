"""Finding the shops that take payments now: for pages that anybody may open as often as they like.

Hides: how one statement judges every shop as a payment would.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa

from giftpad.kernel.work import Work
from giftpad.shops.queries.shops import PAGE_MAX, view_of
from giftpad.shops.rules.facts import FACT_NAMES, Acceptance, ShopPage

_FACT_COLUMNS = ", ".join(f"f.{name}" for name in FACT_NAMES)
# In the order of enrolment, because the primary key has it: the statement ends with the page.
# By name the database would have to judge and sort every shop for each page.  Facts that hold are
# the last row of one shop in that table's primary key, so a search that finds nobody costs one
# short look into the index for each shop of the tenant and sends no row.
_ACCEPTING = sa.text(f"""
    SELECT s.id, s.number, s.created_at, f.starts_at, {_FACT_COLUMNS}
    FROM shop_shops s
    JOIN LATERAL (
        SELECT * FROM shop_facts f
        WHERE f.tenant_id = s.tenant_id AND f.shop_id = s.id AND f.starts_at <= :at
        ORDER BY f.starts_at DESC LIMIT 1
    ) f ON true
    WHERE s.tenant_id = :tenant AND f.accepting
        AND (CAST(:after AS uuid) IS NULL OR s.id > :after)
        AND (:area = '' OR f.area = :area)
        AND (:text = '' OR position(lower(:text) IN lower(f.name)) > 0
            OR position(:text IN f.kana) > 0 OR s.number = upper(:text))
        AND (CAST(:terms AS jsonb) = '[]' OR EXISTS (
            SELECT FROM jsonb_to_recordset(CAST(:terms AS jsonb)) AS t (groups text[], areas text[])
            WHERE (t.groups = '{{}}' OR t.groups && f.groups)
                AND (t.areas = '{{}}' OR f.area = ANY (t.areas))
        ))
    ORDER BY s.id
    LIMIT :most
""")  # noqa: S608 - the inserted names are this module's own


def list_accepting(
    work: Work,
    terms: Sequence[Acceptance] = (),
    *,
    text: str = "",
    area: str = "",
    after: UUID | None = None,
    limit: int = 50,
) -> ShopPage:
    """Return a page of the shops that take payments now, in the order of their enrolment.

    With terms, those that fit at least one of them; without, all.
    """
    most = min(limit, PAGE_MAX)
    values = {
        "tenant": work.tenant_id,
        "at": work.at,
        "after": after,
        "area": area,
        "text": text,
        "terms": json.dumps([asdict(each) for each in terms]),
        "most": most + 1,
    }
    rows = work.session.execute(_ACCEPTING, values).all()
    items = tuple(view_of(row, work.at) for row in rows[:most])
    return ShopPage(items=items, next_after=items[-1].id if len(rows) > most else None)
