"""Batches, their chunks and volumes, serial counters and replacements.

A coupon has no row here: a batch owns a run of serials and a run of locators of equal length.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class CouponBatch(Base):
    """Coupons that were made together.

    ``batch_key`` is wrapped by the KEK and NULL once destroyed; typed codes and print files die
    with it.  ``face`` is what stands on every coupon, kept so that a reprint says the same.
    ``drained_to`` is the last locator whose value has gone to breakage.  What is paperless is
    shown on a screen and never printed.
    """

    __tablename__ = "coupon_batches"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "programme_id", "serial_first"),
        sa.UniqueConstraint(
            "tenant_id", "locator_first", name="coupon_batches_tenant_id_locator_key"
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000000", name="quantity_bounded"),
        sa.CheckConstraint("face_value_minor > 0", name="face_value_positive"),
        sa.CheckConstraint(
            "state IN ('ordered', 'issuing', 'printing', 'verifying', 'ready', 'released',"
            " 'failed')",
            name="state_known",
        ),
        sa.CheckConstraint(
            "(batch_key IS NULL) = (print_destroyed_at IS NOT NULL)", name="key_or_destroyed"
        ),
        sa.Index(
            "coupon_batches_ends_at_idx",
            "tenant_id",
            "ends_at",
            postgresql_where=sa.text("expired_at IS NULL"),
        ),
        sa.Index(
            "coupon_batches_released_at_idx",
            "tenant_id",
            "released_at",
            postgresql_where=sa.text("batch_key IS NOT NULL"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID]
    prefix: Mapped[str]
    serial_first: Mapped[int]
    locator_first: Mapped[int]
    quantity: Mapped[int] = mapped_column(sa.Integer)
    face_value_minor: Mapped[int]
    unit: Mapped[str]
    is_paperless: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    template: Mapped[str]
    face: Mapped[dict[str, str]] = mapped_column(JSONB)
    state: Mapped[str]
    terms_id: Mapped[UUID]
    issued_on: Mapped[date]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    ends_at: Mapped[datetime] = mapped_column(INSTANT)
    batch_key: Mapped[bytes | None]
    kid: Mapped[int] = mapped_column(sa.SmallInteger)
    address: Mapped[str]
    failure_code: Mapped[str | None]
    failure_text: Mapped[str | None]
    ordered_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    released_at: Mapped[datetime | None] = mapped_column(INSTANT)
    print_destroyed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    drained_to: Mapped[int | None]
    drained_minor: Mapped[int] = mapped_column(server_default=sa.text("0"))
    expired_at: Mapped[datetime | None] = mapped_column(INSTANT)


class CouponChunk(Base):
    """A run of a batch that is issued in one transaction."""

    __tablename__ = "coupon_chunks"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "batch_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["coupon_batches.tenant_id", "coupon_batches.id"]
        ),
        sa.CheckConstraint("state IN ('due', 'running', 'done')", name="state_known"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(sa.Integer)
    serial_first: Mapped[int]
    quantity: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str]
    done_at: Mapped[datetime | None] = mapped_column(INSTANT)


class CouponVolume(Base):
    """A run of a batch that is one print file.

    ``claimed_until`` keeps others away while an attempt runs, and lapses when its process dies.
    ``file_id`` is that of the newest attempt: whoever finishes an older one finds it changed and
    throws the own file away.
    """

    __tablename__ = "coupon_volumes"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "batch_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["coupon_batches.tenant_id", "coupon_batches.id"]
        ),
        sa.CheckConstraint(
            "state IN ('due', 'printing', 'verifying', 'ready', 'failed')", name="state_known"
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(sa.Integer)
    serial_first: Mapped[int]
    quantity: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str]
    claimed_until: Mapped[datetime | None] = mapped_column(INSTANT)
    file_id: Mapped[UUID | None]
    size_bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    page_count: Mapped[int | None] = mapped_column(sa.Integer)
    problems: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    ready_at: Mapped[datetime | None] = mapped_column(INSTANT)


class CouponSerials(Base):
    """The next free serial of a programme; a batch takes a contiguous run of them."""

    __tablename__ = "coupon_serials"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    next_serial: Mapped[int]


class CouponReplacement(Base):
    """That one coupon was replaced by another on the same account; written once."""

    __tablename__ = "coupon_replacements"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "new_batch_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "new_batch_id"], ["coupon_batches.tenant_id", "coupon_batches.id"]
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    old_batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    old_serial: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    new_batch_id: Mapped[UUID]
    new_serial: Mapped[int]
    balance_minor: Mapped[int]
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(INSTANT)
