"""gifts: Gifts know when somebody reminded of them.

Why: a sender may remind those who have not chosen yet, twice at most, beside the reminder that
leaves by itself.
Phase: expand; the running code ignores the column.  Locks: gifts, for as long as it takes to read
it through for the check.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "20261122_3130"
down_revision = "20261122_3120"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "gifts",
        sa.Column(
            "hand_reminded_at",
            ARRAY(sa.DateTime(timezone=True)),
            nullable=False,
            server_default=sa.text("'{}'"),
        ),
    )
    op.create_check_constraint(
        op.f("gifts_hand_reminded_bounded_check"), "gifts", "cardinality(hand_reminded_at) <= 2"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_constraint(op.f("gifts_hand_reminded_bounded_check"), "gifts")
    op.drop_column("gifts", "hand_reminded_at")
