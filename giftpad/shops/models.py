"""The tables of shops: who they are, what held for them when, and the files they came in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


def _of_shop(*columns: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(columns, ["shop_shops.tenant_id", "shop_shops.id"])


class ShopRow(Base):
    """A shop; all that can change about it is in its dated facts."""

    __tablename__ = "shop_shops"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "number", name="shop_shops_number_key"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)


class ShopFactsRow(Base):
    """What holds for a shop from ``starts_at`` until its next row; written once, never changed.

    The payment reads this table.  Two rows for the same local day differ by a microsecond, and
    the later one holds.
    """

    __tablename__ = "shop_facts"
    __table_args__ = (_of_shop("tenant_id", "shop_id"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(INSTANT, primary_key=True)
    name: Mapped[str]
    kana: Mapped[str]
    area: Mapped[str]
    groups: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    accepting: Mapped[bool]
    address: Mapped[str]
    phone: Mapped[str]
    floor_area_m2: Mapped[int | None] = mapped_column(sa.Integer)
    hq_prefecture: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    recorded_by: Mapped[str]


class ShopContactRow(Base):
    """The person a shop is reached by, sealed; found again by blind indexes."""

    __tablename__ = "shop_contacts"
    __table_args__ = (
        _of_shop("tenant_id", "shop_id"),
        sa.Index("shop_contacts_phone_idx", "tenant_id", "phone_index"),
        sa.Index("shop_contacts_email_idx", "tenant_id", "email_index"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID] = mapped_column(primary_key=True)
    name_sealed: Mapped[bytes]
    phone_sealed: Mapped[bytes]
    email_sealed: Mapped[bytes]
    phone_index: Mapped[bytes | None]
    email_index: Mapped[bytes | None]
    changed_at: Mapped[datetime] = mapped_column(INSTANT)
    delete_after: Mapped[date | None]


class BranchRow(Base):
    """One place of a shop."""

    __tablename__ = "shop_branches"
    __table_args__ = (
        _of_shop("tenant_id", "shop_id"),
        sa.Index("shop_branches_shop_idx", "tenant_id", "shop_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID]
    name: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    closed_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ImportRow(Base):
    """One file of shops and how far it is; ``taken_line`` is the last line that is taken."""

    __tablename__ = "shop_imports"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('ordered', 'checking', 'taking', 'done', 'refused')", name="state_known"
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    is_partial: Mapped[bool]
    is_dry: Mapped[bool]
    size: Mapped[int]
    good_count: Mapped[int] = mapped_column(sa.Integer)
    bad_count: Mapped[int] = mapped_column(sa.Integer)
    fault_count: Mapped[int] = mapped_column(sa.Integer)
    enrolled_count: Mapped[int] = mapped_column(sa.Integer)
    changed_count: Mapped[int] = mapped_column(sa.Integer)
    unchanged_count: Mapped[int] = mapped_column(sa.Integer)
    taken_line: Mapped[int] = mapped_column(sa.Integer)
    ordered_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    finished_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ImportFaultRow(Base):
    """One thing wrong with one cell of an imported file."""

    __tablename__ = "shop_import_errors"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"], ["shop_imports.tenant_id", "shop_imports.id"]
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    line: Mapped[int] = mapped_column(sa.Integer)
    column: Mapped[str]
    code: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
