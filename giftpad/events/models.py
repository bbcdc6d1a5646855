"""The rails: rows to send, receipts, and what failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base

INSTANT = sa.DateTime(timezone=True)


class OutboxEvent(Base):
    """An event to deliver; written in the transaction of the change it tells of.

    ``leased_until`` keeps it from being sent twice at a time and delays a retry; ``done_at`` is
    set when every handler has a receipt.
    """

    __tablename__ = "event_outbox"
    __table_args__ = (
        sa.Index(
            "event_outbox_pending_idx",
            "tenant_id",
            "object_id",
            "id",
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    object_id: Mapped[UUID]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    sendings: Mapped[int] = mapped_column(sa.Integer, server_default=sa.text("0"))
    leased_until: Mapped[datetime | None] = mapped_column(INSTANT)
    done_at: Mapped[datetime | None] = mapped_column(INSTANT)


class InboxReceipt(Base):
    """That a handler is through with an event: its effect is committed, or it is a dead letter."""

    __tablename__ = "event_inbox"
    __table_args__ = (
        sa.CheckConstraint("outcome IN ('done', 'dead')", name="outcome_known"),
        sa.Index(
            "event_inbox_dead_idx",
            "tenant_id",
            "event_id",
            postgresql_where=sa.text("outcome = 'dead'"),
        ),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    handler: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(INSTANT)


class EventFailure(Base):
    """That a handler failed on an event, how often, and what it said last."""

    __tablename__ = "event_failures"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    handler: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int] = mapped_column(sa.Integer)
    error: Mapped[str]
    failed_at: Mapped[datetime] = mapped_column(INSTANT)
