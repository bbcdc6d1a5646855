"""catalog: What is taken stays taken.

Why: nothing ever gives a taking back; only another one takes its place.
Phase: contract, with nothing running.  Locks: catalog_takings, briefly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_3120"
down_revision = "20261122_3110"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_column("catalog_takings", "given_back_at")


def downgrade() -> None:
    """Undo."""
    op.add_column("catalog_takings", sa.Column("given_back_at", sa.DateTime(timezone=True)))
