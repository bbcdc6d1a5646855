"""The table of programmes."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base


class ProgrammeRow(Base):
    """A programme; exactly one of the three ``valid_`` columns is set."""

    __tablename__ = "programme_programmes"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "slug", name="programme_programmes_slug_key"),
        sa.UniqueConstraint("tenant_id", "serial_prefix", name="programme_programmes_prefix_key"),
        sa.CheckConstraint("ends_on >= starts_on", name="period_not_empty"),
        sa.CheckConstraint("ceiling_minor > 0", name="ceiling_positive"),
        sa.CheckConstraint(
            "num_nonnulls(valid_until, valid_days, valid_months) = 1", name="one_validity"
        ),
        sa.CheckConstraint("spendable_from IN ('release', 'hand_over')", name="spendable_known"),
        sa.CheckConstraint(
            "0 < face_value_min_minor AND face_value_min_minor <= face_value_max_minor",
            name="face_value_range",
        ),
        sa.CheckConstraint("quantity_max > 0", name="quantity_positive"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    unit: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    groups: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    areas: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    ceiling_minor: Mapped[int | None]
    valid_until: Mapped[date | None]
    valid_days: Mapped[int | None] = mapped_column(sa.Integer)
    valid_months: Mapped[int | None] = mapped_column(sa.Integer)
    serial_prefix: Mapped[str]
    face_text: Mapped[dict[str, list[str]]] = mapped_column(JSONB)
    template: Mapped[str]
    spendable_from: Mapped[str]
    quantity_max: Mapped[int] = mapped_column(sa.Integer)
    face_value_min_minor: Mapped[int]
    face_value_max_minor: Mapped[int]
    gifts: Mapped[bool] = mapped_column(server_default=sa.text("false"))
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
