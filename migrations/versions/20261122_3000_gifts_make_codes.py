"""gifts: Make codes without names.

Why: whoever gives gifts to people she does not know by name orders a number of codes, and hands
them out or prints them herself.
Phase: expand.  Locks: gift_orders and gifts, for as long as it takes to read them through.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_3000"
down_revision = "20261122_2900"
branch_labels = None
depends_on = None

TABLES = ("gift_orders", "gifts")
BEFORE = ("mail", "sms", "link", "card", "letter")
CODES_MAX = 1_000_000


def _know(channels: tuple[str, ...]) -> None:
    words = ", ".join(repr(channel) for channel in channels)
    for table in TABLES:
        name = op.f(f"{table}_channel_known_check")
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, f"channel IN ({words})")


def upgrade() -> None:
    """Apply."""
    _know((*BEFORE, "code"))
    op.add_column(
        "gift_orders",
        sa.Column("codes", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    op.create_check_constraint(
        op.f("gift_orders_codes_bounded_check"),
        "gift_orders",
        f"codes BETWEEN 0 AND {CODES_MAX}",
    )
    op.create_check_constraint(
        op.f("gift_orders_codes_by_channel_check"),
        "gift_orders",
        "(channel = 'code') = (codes > 0)",
    )


def downgrade() -> None:
    """Undo; refused while there is an order for codes, as nothing before could hold it."""
    op.drop_constraint(op.f("gift_orders_codes_by_channel_check"), "gift_orders")
    op.drop_constraint(op.f("gift_orders_codes_bounded_check"), "gift_orders")
    op.drop_column("gift_orders", "codes")
    _know(BEFORE)
