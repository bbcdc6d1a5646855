"""Finding shops, as they are now and as they will be."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Work
from giftpad.shops.errors import ShopNotFound
from giftpad.shops.models import (
    BranchRow,
    ShopContactRow,
    ShopFactsRow,
    ShopRow,
)
from giftpad.shops.rules.facts import (
    CONTACT_PARTS,
    FACT_NAMES,
    BranchView,
    Contact,
    DatedFacts,
    Facts,
    ShopFilter,
    ShopPage,
    ShopView,
)

PAGE_MAX = 200
BRANCHES_MAX = 1000
PLANNED_MAX = 100

_FACT_COLUMNS = ", ".join(f"f.{name}" for name in FACT_NAMES)
# The facts that hold at :at, or before the first day those of the first day.
_NOW = """
    JOIN LATERAL (
        SELECT * FROM shop_facts f
        WHERE f.tenant_id = s.tenant_id AND f.shop_id = s.id
        ORDER BY f.starts_at <= :at DESC, abs(extract(epoch FROM f.starts_at - :at))
        LIMIT 1
    ) f ON true
"""
_PAGE = sa.text(f"""
    SELECT s.id, s.number, s.created_at, f.starts_at, {_FACT_COLUMNS}
    FROM shop_shops s {_NOW}
    WHERE s.tenant_id = :tenant
        AND (CAST(:after AS uuid) IS NULL OR s.id > :after)
        AND (CAST(:only AS uuid) IS NULL OR s.id = :only)
        AND (:area = '' OR f.area = :area)
        AND (:group = '' OR :group = ANY (f.groups))
        AND (:text = '' OR position(lower(:text) IN lower(f.name)) > 0
            OR position(:text IN f.kana) > 0 OR s.number = upper(:text))
    ORDER BY s.id
    LIMIT :most
""")  # noqa: S608 - the inserted names are this module's own


def facts_of(row: object) -> Facts:
    """Return the facts that a row carries under their own names."""
    values = {name: getattr(row, name) for name in FACT_NAMES}
    values["groups"] = tuple(values["groups"])
    return Facts(**values)


def view_of(row: sa.Row[tuple[object, ...]], at: datetime) -> ShopView:
    """Return the shop that a row with its facts tells of, as it is at an instant."""
    return ShopView(
        id=row.id,
        number=row.number,
        created_at=row.created_at,
        starts_at=row.starts_at,
        has_started=row.starts_at <= at,
        facts=facts_of(row),
    )


def list_shops(
    work: Work, wanted: ShopFilter, *, after: UUID | None = None, limit: int = 50
) -> ShopPage:
    """Return a page of shops as they are now, in the order in which they were enrolled."""
    most = min(limit, PAGE_MAX)
    values = {
        "tenant": work.tenant_id,
        "at": work.at,
        "after": after,
        "only": work.scope.actor.shop_id,
        "area": wanted.area,
        "group": wanted.group,
        "text": wanted.text,
        "most": most + 1,
    }
    rows = work.session.execute(_PAGE, values).all()
    items = tuple(view_of(row, work.at) for row in rows[:most])
    return ShopPage(items=items, next_after=items[-1].id if len(rows) > most else None)


def get_shop(work: Work, shop_id: UUID) -> ShopView:
    """Return one shop with its branches and planned facts.

    Raises: ShopNotFound.
    """
    bound_to = work.scope.actor.shop_id
    if bound_to is not None and bound_to != shop_id:
        raise ShopNotFound
    values = {
        "tenant": work.tenant_id,
        "at": work.at,
        "after": None,
        "only": shop_id,
        "area": "",
        "group": "",
        "text": "",
        "most": 1,
    }
    row = work.session.execute(_PAGE, values).one_or_none()
    if row is None:
        raise ShopNotFound
    shop = view_of(row, work.at)
    return ShopView(
        id=shop.id,
        number=shop.number,
        created_at=shop.created_at,
        starts_at=shop.starts_at,
        has_started=shop.has_started,
        facts=shop.facts,
        branches=_list_branches(work, shop_id),
        planned=tuple(
            DatedFacts(starts_at=later.starts_at, facts=facts_of(later))
            for later in list_planned(work, shop_id)
        ),
    )


def find_shop_id(work: Work, number: str) -> UUID | None:
    """Return the id of the shop with this number, or None."""
    return work.session.execute(
        sa.select(ShopRow.id).where(
            ShopRow.tenant_id == work.tenant_id, ShopRow.number == number.upper()
        )
    ).scalar_one_or_none()


def list_planned(work: Work, shop_id: UUID) -> list[ShopFactsRow]:
    """Return the rows of facts that will hold later, the nearest first."""
    statement = (
        sa.select(ShopFactsRow)
        .where(
            ShopFactsRow.tenant_id == work.tenant_id,
            ShopFactsRow.shop_id == shop_id,
            ShopFactsRow.starts_at > work.at,
        )
        .order_by(ShopFactsRow.starts_at)
        .limit(PLANNED_MAX)
    )
    return list(work.session.scalars(statement))


def find_facts(work: Work, shop_id: UUID, at: datetime) -> Facts | None:
    """Return the facts that hold for a shop at an instant, or None before its first day."""
    statement = (
        sa.select(ShopFactsRow)
        .where(
            ShopFactsRow.tenant_id == work.tenant_id,
            ShopFactsRow.shop_id == shop_id,
            ShopFactsRow.starts_at <= at,
        )
        .order_by(ShopFactsRow.starts_at.desc())
        .limit(1)
    )
    row = work.session.scalars(statement).one_or_none()
    return None if row is None else facts_of(row)


def _list_branches(work: Work, shop_id: UUID) -> tuple[BranchView, ...]:
    statement = (
        sa.select(BranchRow)
        .where(
            BranchRow.tenant_id == work.tenant_id,
            BranchRow.shop_id == shop_id,
            BranchRow.closed_at.is_(None),
        )
        .order_by(BranchRow.id)
        .limit(BRANCHES_MAX)
    )
    return tuple(
        BranchView(id=row.id, name=row.name, address=row.address)
        for row in work.session.scalars(statement)
    )


def get_contact(work: Work, shop_id: UUID) -> Contact:
    """Return the person a shop is reached by, opened; empty if none is known.

    Raises: ShopNotFound.
    """
    get_shop(work, shop_id)
    row = work.session.get(ShopContactRow, (work.tenant_id, shop_id))
    if row is None:
        return Contact()
    opened = {
        part: tenancy.open_text(
            work.tenant_id,
            column_place(work.tenant_id, "shop_contacts", f"{part}_sealed", shop_id),
            getattr(row, f"{part}_sealed"),
        )
        for part in CONTACT_PARTS
    }
    return Contact(**opened)


_NAMES = sa.text(f"""
    SELECT s.id, s.number, f.name
    FROM shop_shops s {_NOW}
    WHERE s.tenant_id = :tenant AND s.id = ANY (CAST(:ids AS uuid[]))
""")  # noqa: S608 - made of texts in this file


def find_names(work: Work, shop_ids: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return number and present name of each of these shops that there is."""
    if not shop_ids:
        return {}
    values = {"tenant": work.tenant_id, "at": work.at, "ids": list(shop_ids)}
    return {row[0]: (row[1], row[2]) for row in work.session.execute(_NAMES, values)}
