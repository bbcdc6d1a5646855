"""Tables of the guard: idempotency keys, one mechanism for every write; and what is switched."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.kernel.db import Base


class IdempotencyKey(Base):
    """A caller's key, what it was used for, and the first answer.

    The row is inserted in the transaction of the effect, so it exists exactly if the effect
    does.  A hot function refers to its answer by ``answer_ref``; the others keep it whole.
    """

    __tablename__ = "guard_keys"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    answer_ref: Mapped[UUID | None]
    answer_status: Mapped[int | None] = mapped_column(sa.SmallInteger)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    kept_until: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Switch(Base):
    """One thing that is set while the product runs; rows are the platform's.

    ``name`` is "admission", and ``value`` the groups that are let in, or the name of a feature,
    and ``value`` 0 for off and 1 for on.
    """

    __tablename__ = "guard_switches"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))

    __table_args__ = (sa.CheckConstraint("value BETWEEN 0 AND 64", name="value"),)
