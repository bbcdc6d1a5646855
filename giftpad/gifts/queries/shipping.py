"""Reading what is to be sent by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from giftpad.gifts.errors import ClaimNotFound, ListNotFound
from giftpad.gifts.models import ClaimRow, OrderRow
from giftpad.gifts.queries.claims import ClaimView, to_claim
from giftpad.gifts.queries.files import find_columns
from giftpad.gifts.rules.gifts import CAME_BACK, PREPARING, RECEIVED, SHIPPED
from giftpad.gifts.rules.shipping import GOODS, LIST_FIELDS
from giftpad.kernel.work import Work

PAGE_MAX = 500
SUPPLIERS_MAX = 500
LISTS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierView:
    """A supplier and how its parcels stand; ``since`` is the oldest that is not listed yet."""

    supplier: str
    received: int
    preparing: int
    shipped: int
    returned: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelView:
    """A claim that travels: the claim, the code of its product, who sends the gift."""

    claim: ClaimView = field(repr=False)
    code: str
    sender: str
    order_id: UUID
    listed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelPage:
    """A page of parcels, oldest claim first; ``next_after`` continues it, None at the end."""

    items: tuple[ParcelView, ...]
    next_after: UUID | None


def _goods(work: Work) -> tuple[sa.ColumnElement[bool], ...]:
    return (ClaimRow.tenant_id == work.tenant_id, ClaimRow.kind == GOODS)


def list_suppliers(work: Work) -> list[SupplierView]:
    """Return every supplier with parcels, by name."""

    def count(state: str) -> sa.ColumnElement[int]:
        return sa.func.count().filter(ClaimRow.state == state)

    rows = work.session.execute(
        sa.select(
            ClaimRow.supplier,
            count(RECEIVED),
            count(PREPARING),
            count(SHIPPED),
            count(CAME_BACK),
            sa.func.min(ClaimRow.claimed_at).filter(ClaimRow.state == RECEIVED),
        )
        .where(*_goods(work))
        .group_by(ClaimRow.supplier)
        .order_by(ClaimRow.supplier)
        .limit(SUPPLIERS_MAX)
    )
    return [
        SupplierView(
            supplier=supplier,
            received=received,
            preparing=preparing,
            shipped=shipped,
            returned=returned,
            since=since,
        )
        for supplier, received, preparing, shipped, returned, since in rows
    ]


_JOINED = sa.select(ClaimRow, OrderRow.sender_name).join(
    OrderRow,
    sa.and_(OrderRow.tenant_id == ClaimRow.tenant_id, OrderRow.id == ClaimRow.order_id),
)


def _view(row: ClaimRow, sender: str) -> ParcelView:
    return ParcelView(
        claim=to_claim(row),
        code=row.product.get("code", ""),
        sender=sender,
        order_id=row.order_id,
        listed_at=row.listed_at,
    )


def list_parcels(
    work: Work, supplier: str, *, state: str = RECEIVED, after: UUID | None = None, limit: int = 50
) -> ParcelPage:
    """Return a page of a supplier's parcels in one state."""
    return _page(work, ClaimRow.supplier == supplier, state=state, after=after, limit=limit)


def list_listed(
    work: Work, list_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> ParcelPage:
    """Return a page of what is still to be sent of one list."""
    return _page(work, ClaimRow.list_id == list_id, state=PREPARING, after=after, limit=limit)


def _page(
    work: Work, which: sa.ColumnElement[bool], *, state: str, after: UUID | None, limit: int
) -> ParcelPage:
    most = min(limit, PAGE_MAX)
    asked = _JOINED.where(*_goods(work), which, ClaimRow.state == state)
    if after is not None:
        asked = asked.where(ClaimRow.id > after)
    rows = work.session.execute(asked.order_by(ClaimRow.id).limit(most + 1)).all()
    items = tuple(_view(row, sender) for row, sender in rows[:most])
    return ParcelPage(items=items, next_after=items[-1].claim.id if len(rows) > most else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """A list that a supplier has; ``left`` counts what of it is not on its way yet."""

    id: UUID
    supplier: str
    taken_at: datetime
    left: int


def list_lists(work: Work, supplier: str) -> list[ListView]:
    """Return the lists of a supplier of which something is still to be sent, newest first."""
    return _read_lists(work, ClaimRow.supplier == supplier)


def get_list(work: Work, list_id: UUID) -> ListView:
    """Return one list of which something is still to be sent.

    Raises: ListNotFound.
    """
    found = _read_lists(work, ClaimRow.list_id == list_id)
    if not found:
        raise ListNotFound
    return found[0]


def _read_lists(work: Work, which: sa.ColumnElement[bool]) -> list[ListView]:
    rows = work.session.execute(
        sa.select(
            ClaimRow.list_id, ClaimRow.supplier, sa.func.min(ClaimRow.listed_at), sa.func.count()
        )
        .where(*_goods(work), which, ClaimRow.state == PREPARING, ClaimRow.list_id.is_not(None))
        .group_by(ClaimRow.list_id, ClaimRow.supplier)
        .order_by(sa.func.min(ClaimRow.listed_at).desc())
        .limit(LISTS_MAX)
    )
    return [
        ListView(id=list_id, supplier=supplier, taken_at=taken_at, left=left)
        for list_id, supplier, taken_at, left in rows
        if list_id is not None and taken_at is not None
    ]


def get_parcel(work: Work, claim_id: UUID) -> ParcelView:
    """Return one claim that travels.

    Raises: ClaimNotFound.
    """
    found = work.session.execute(
        _JOINED.where(*_goods(work), ClaimRow.id == claim_id)
    ).one_or_none()
    if found is None:
        raise ClaimNotFound
    row, sender = found
    return _view(row, sender)


def shipping_purpose(supplier: str) -> str:
    """Return under which name the columns of a supplier's list are remembered."""
    return f"shipping:{supplier}"


def tracking_purpose(supplier: str) -> str:
    """Return under which name the columns of a carrier's files are remembered."""
    return f"tracking:{supplier}"


def list_columns(work: Work, supplier: str) -> Mapping[str, str]:
    """Return the names of the columns that a supplier's list has; an empty one is left out."""
    return {**LIST_FIELDS, **find_columns(work, shipping_purpose(supplier))}
