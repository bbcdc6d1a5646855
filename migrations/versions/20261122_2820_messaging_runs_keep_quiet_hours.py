"""messaging: A run keeps quiet hours.

Why: an order began in loud hours, and its letters went on past them; letters that were sent again
or reminded left at any hour.
Phase: expand.  Locks: messaging_runs, for as long as two columns without a default take.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2820"
down_revision = "20261122_2810"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("messaging_runs", sa.Column("quiet_from", sa.Time))
    op.add_column("messaging_runs", sa.Column("quiet_until", sa.Time))


def downgrade() -> None:
    """Undo."""
    op.drop_column("messaging_runs", "quiet_until")
    op.drop_column("messaging_runs", "quiet_from")
