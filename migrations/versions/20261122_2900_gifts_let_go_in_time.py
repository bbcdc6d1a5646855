"""gifts: Note when an order lapsed.

Why: an order that nobody approves kept its money and its names for ever; it becomes a draft again,
and says so.
Phase: expand.  Locks: gift_orders, for as long as a column without a default takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2900"
down_revision = "20261122_2300"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("gift_orders", sa.Column("lapsed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Undo."""
    op.drop_column("gift_orders", "lapsed_at")
