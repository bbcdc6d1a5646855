"""The chain and its head."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base


class AuditEntry(Base):
    """One thing that somebody did; may be inserted and read, never changed."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index("audit_entries_subject_idx", "tenant_id", "subject", "seq"),
        sa.Index(
            "audit_entries_action_idx",
            "tenant_id",
            "action",
            "seq",
            postgresql_ops={"action": "text_pattern_ops"},
        ),
        sa.Index("audit_entries_actor_idx", "tenant_id", sa.text("(actor ->> 'id')"), "seq"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    actor: Mapped[dict[str, Any]] = mapped_column(JSONB)
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    hash: Mapped[bytes]


class AuditHead(Base):
    """The last entry of a tenant's chain; whoever records holds this row."""

    __tablename__ = "audit_heads"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes]
