"""Files that were handed in and wait to be understood, and what their columns meant before."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.gifts.models.orders import INSTANT
from giftpad.kernel.db import Base
from giftpad.kernel.seal import column_place


class FileRow(Base):
    """The file of recipients of a draft whose columns somebody still has to look at."""

    __tablename__ = "gift_files"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.Index("gift_files_old_idx", "tenant_id", "delete_after"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    data_sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    delete_after: Mapped[datetime] = mapped_column(INSTANT)


class ColumnsRow(Base):
    """What the columns of files of one kind meant the last time; ``columns`` is field by name."""

    __tablename__ = "gift_columns"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[datetime] = mapped_column(INSTANT)


def file_place(tenant_id: UUID, order_id: UUID) -> str:
    """Name the place of a sealed file of recipients."""
    return column_place(tenant_id, FileRow.__tablename__, "data_sealed", order_id)
