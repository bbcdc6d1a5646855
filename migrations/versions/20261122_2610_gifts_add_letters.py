"""gifts: Print letters beside cards.

Why: who has neither a mail address nor a mobile number gets a letter by post.
Phase: expand.  Locks: gift_orders, gift_lines, gifts and gift_prints, for as long as it takes to
read them through.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2610"
down_revision = "20261122_2600"
branch_labels = None
depends_on = None

TABLES = ("gift_orders", "gift_lines", "gifts")
BEFORE = ("mail", "sms", "link", "card")


def _know(channels: tuple[str, ...]) -> None:
    words = ", ".join(repr(channel) for channel in channels)
    for table in TABLES:
        name = op.f(f"{table}_channel_known_check")
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, f"channel IN ({words})")


def upgrade() -> None:
    """Apply."""
    _know((*BEFORE, "letter"))
    op.add_column(
        "gift_prints",
        sa.Column("kind", sa.Text, nullable=False, server_default=sa.text("'card'")),
    )
    op.create_check_constraint(
        op.f("gift_prints_kind_known_check"), "gift_prints", "kind IN ('card', 'letter')"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_constraint(op.f("gift_prints_kind_known_check"), "gift_prints")
    op.drop_column("gift_prints", "kind")
    _know(BEFORE)
