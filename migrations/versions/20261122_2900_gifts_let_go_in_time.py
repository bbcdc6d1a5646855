"""gifts: Let go in time: note when an order lapsed, find what is old by an index.

Why: an order that nobody approves kept its money and its names for ever; it becomes a draft again,
and says so.  Whoever forgets read every row there is to find the old ones.
Phase: expand.  Locks: gift_orders, for as long as a column without a default takes; the others for
as long as their index takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2900"
down_revision = "20261122_2820"
branch_labels = None
depends_on = None

OLD = {
    "gift_lines": "seq IS NULL",
    "gift_files": None,
    "gifts": "person_sealed <> ''::bytea",
    "gift_claims": "address_sealed <> ''::bytea",
    "gift_thanks": "words_sealed <> ''::bytea",
}


def upgrade() -> None:
    """Apply."""
    op.add_column("gift_orders", sa.Column("lapsed_at", sa.DateTime(timezone=True)))
    for table, condition in OLD.items():
        op.create_index(
            f"{table}_old_idx",
            table,
            ["tenant_id", "delete_after"],
            postgresql_where=None if condition is None else sa.text(condition),
        )


def downgrade() -> None:
    """Undo."""
    for table in OLD:
        op.drop_index(f"{table}_old_idx", table)
    op.drop_column("gift_orders", "lapsed_at")
