"""Files of printed cards and letters."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from giftpad.gifts.models.orders import INSTANT
from giftpad.gifts.rules.cards import PRINT_STATES
from giftpad.gifts.rules.contracts import PRINTED
from giftpad.kernel.db import Base, one_of


class PrintRow(Base):
    """A run of an order's cards, or of its letters, that is one file; on none if all went away.

    ``claimed_until`` keeps others away while an attempt runs, and lapses when its process dies;
    ``file_id`` is that of the newest attempt.  A file is there as long as it is ready.
    """

    __tablename__ = "gift_prints"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "order_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint(one_of("state", PRINT_STATES), name="state_known"),
        sa.CheckConstraint(one_of("kind", PRINTED), name="kind_known"),
        sa.CheckConstraint("(state = 'ready') = (sha256 IS NOT NULL)", name="ready_is_checked"),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(server_default=sa.text("'card'"))
    gift_id: Mapped[UUID | None]
    """The one gift of a file for a card that was replaced."""
    numbers: Mapped[list[int]] = mapped_column(ARRAY(sa.BigInteger))
    """Of the gifts on it, as it was printed last; whoever goes another way by then is left out."""
    state: Mapped[str]
    claimed_until: Mapped[datetime | None] = mapped_column(INSTANT)
    file_id: Mapped[UUID | None]
    size_bytes: Mapped[int | None]
    sha256: Mapped[str | None]
    page_count: Mapped[int | None]
    problems: Mapped[list[str]] = mapped_column(JSONB, server_default=sa.text("'[]'::jsonb"))
    ready_at: Mapped[datetime | None] = mapped_column(INSTANT)
