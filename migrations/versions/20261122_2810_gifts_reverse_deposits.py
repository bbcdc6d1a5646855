"""gifts: A deposit knows when it was taken back.

Why: money that was booked by mistake, or with a wrong amount, could only be added to.
Phase: expand.  Locks: gift_deposits, for as long as a column without a default takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2810"
down_revision = "20261122_2800"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("gift_deposits", sa.Column("reversed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Undo."""
    op.drop_column("gift_deposits", "reversed_at")
