"""The tables of the catalogue: what can be chosen, what of it was taken, the files it came in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


def _points_to(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"catalog_{table}.tenant_id", f"catalog_{table}.id"]
    )


class ProductRow(Base):
    """Something that can be chosen; what of it there is lies with its variants.

    ``names``, ``descriptions`` and ``category_names`` are by language; ``search_text`` is all that
    is looked for, folded.  ``price_minor`` is what it is worth to the tenant, never shown to
    whoever receives it.
    """

    __tablename__ = "catalog_products"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code", name="catalog_products_code_key"),
        sa.CheckConstraint("kind IN ('goods', 'digital', 'donation')", name="kind_known"),
        sa.CheckConstraint("state IN ('active', 'hidden')", name="state_known"),
        sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),
        sa.CheckConstraint("age_min >= 0", name="age_not_negative"),
        sa.CheckConstraint("lead_days >= 0", name="lead_not_negative"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    kind: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    descriptions: Mapped[dict[str, str]] = mapped_column(JSONB)
    category: Mapped[str]
    category_names: Mapped[dict[str, str]] = mapped_column(JSONB)
    supplier: Mapped[str]
    allergens: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    age_min: Mapped[int]
    lead_days: Mapped[int]
    price_minor: Mapped[int]
    unit: Mapped[str]
    excluded_prefectures: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    state: Mapped[str]
    search_text: Mapped[str]
    picture_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid))
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)


class VariantRow(Base):
    """One kind of a product: a size, a colour, or the product itself.

    ``stock`` is what is left, for a digital product its free codes; NULL is without end.
    ``daily_limit`` is how many may be taken on one day of the tenant's zone.
    """

    __tablename__ = "catalog_variants"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code", name="catalog_variants_code_key"),
        _points_to("products", "product_id"),
        sa.CheckConstraint("stock >= 0", name="stock_not_negative"),
        sa.CheckConstraint("daily_limit >= 0", name="limit_not_negative"),
        sa.Index("catalog_variants_product_idx", "tenant_id", "product_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID]
    code: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    position: Mapped[int]
    stock: Mapped[int | None]
    daily_limit: Mapped[int | None]


class DailyCountRow(Base):
    """How many of a variant were taken on one day; only where it has a limit."""

    __tablename__ = "catalog_daily_counts"
    __table_args__ = (
        _points_to("variants", "variant_id"),
        sa.CheckConstraint("taken_count >= 0", name="taken_not_negative"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    variant_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    taken_count: Mapped[int]


class CourseRow(Base):
    """What a gift of one price may be chosen from, and from when to when it is given."""

    __tablename__ = "catalog_courses"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "code", name="catalog_courses_code_key"),
        sa.CheckConstraint("price_minor > 0", name="price_positive"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_later"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB)
    price_minor: Mapped[int]
    unit: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)


class CourseProductRow(Base):
    """That a course holds a product; ``position`` orders what is recommended first."""

    __tablename__ = "catalog_course_products"
    __table_args__ = (
        _points_to("courses", "course_id"),
        _points_to("products", "product_id"),
        sa.Index("catalog_course_products_product_idx", "tenant_id", "product_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]


class TakingRow(Base):
    """That one of a variant is kept for somebody: ``for_id`` is whatever it is kept for.

    ``day`` is the day it was counted on, or NULL where there was no limit; ``is_counted`` is
    whether it came out of a stock.
    """

    __tablename__ = "catalog_takings"
    __table_args__ = (
        _points_to("variants", "variant_id"),
        sa.Index("catalog_takings_variant_idx", "tenant_id", "variant_id"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    for_id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID]
    variant_id: Mapped[UUID]
    is_counted: Mapped[bool]
    day: Mapped[date | None]
    taken_at: Mapped[datetime] = mapped_column(INSTANT)


class DigitalCodeRow(Base):
    """One code of a digital product, sealed; found again, so that none comes twice, by its index.

    ``shown_at`` is when it was first opened: from then on it is spent.  What is given back unseen
    loses ``taken_for``; what was seen keeps it, with ``given_back_at``.
    """

    __tablename__ = "catalog_digital_codes"
    __table_args__ = (
        _points_to("variants", "variant_id"),
        sa.UniqueConstraint("tenant_id", "code_index", name="catalog_digital_codes_code_index_key"),
        sa.Index(
            "catalog_digital_codes_taken_for_key",
            "tenant_id",
            "taken_for",
            unique=True,
            postgresql_where=sa.text("given_back_at IS NULL"),
        ),
        sa.Index(
            "catalog_digital_codes_free_idx",
            "tenant_id",
            "variant_id",
            "id",
            postgresql_where=sa.text("taken_for IS NULL"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    variant_id: Mapped[UUID]
    code_sealed: Mapped[bytes]
    code_index: Mapped[bytes]
    added_at: Mapped[datetime] = mapped_column(INSTANT)
    taken_for: Mapped[UUID | None]
    shown_at: Mapped[datetime | None] = mapped_column(INSTANT)
    given_back_at: Mapped[datetime | None] = mapped_column(INSTANT)


class PictureRow(Base):
    """A picture that lies in the file store, drawn anew at our widths; its id is its content's."""

    __tablename__ = "catalog_pictures"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    added_at: Mapped[datetime] = mapped_column(INSTANT)


class ImportRow(Base):
    """One file of products and how far it is; ``taken_count`` products of it are taken."""

    __tablename__ = "catalog_imports"
    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('ordered', 'checked', 'taking', 'done', 'refused')", name="state_known"
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    file_name: Mapped[str]
    size: Mapped[int]
    good_count: Mapped[int]
    fault_count: Mapped[int]
    picture_count: Mapped[int]
    added_count: Mapped[int]
    changed_count: Mapped[int]
    unchanged_count: Mapped[int]
    taken_count: Mapped[int]
    ordered_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    finished_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ImportFaultRow(Base):
    """One thing wrong with one line of an imported file."""

    __tablename__ = "catalog_import_faults"
    __table_args__ = (_points_to("imports", "import_id"),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int]
    column: Mapped[str]
    code: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
