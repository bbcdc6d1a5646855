"""Invoices for orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.gifts.models.orders import INSTANT
from giftpad.kernel.db import Base


class InvoiceRow(Base):
    """The invoice for an order; written once.

    ``number`` counts without gaps within the tenant.  ``facts`` is all that the paper says, so
    that it says the same for ever, whatever the contract says later.
    """

    __tablename__ = "gift_invoices"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint("number > 0", name="number_positive"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(INSTANT)
