"""gifts: Find a gift by its address, and those whose letter did not arrive.

Why: a support desk is told an address, which is sealed; its blind index moves from the line to
the gift.  What somebody must look at is asked for on every overview, so that it has an index.
Phase: expand.  Locks: gifts, for as long as a column without a default takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2300"
down_revision = "20261122_2200"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("gifts", sa.Column("address_index", sa.LargeBinary))
    op.create_index(
        "gifts_address_idx",
        "gifts",
        ["tenant_id", "address_index"],
        postgresql_where=sa.text("address_index IS NOT NULL"),
    )
    op.create_index(
        "gifts_undelivered_idx",
        "gifts",
        ["tenant_id", "order_id"],
        postgresql_where=sa.text(
            "state = 'outstanding' AND delivery IN ('bounced', 'failed', 'unknown')"
        ),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("gifts_undelivered_idx", "gifts")
    op.drop_index("gifts_address_idx", "gifts")
    op.drop_column("gifts", "address_index")
