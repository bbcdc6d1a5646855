"""health: Add the figures of the installation, and an index of what handlers gave up.

Why: the operator's page shows what others have measured, and when; dead letters are counted every
few seconds, and must not be looked for among millions of receipts.
Phase: expand.  Locks: event_inbox, while its index is built; no payment waits for it, but events
do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1310"
down_revision = "20261121_1300"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "health_figures",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", JSONB, nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
    )
    isolate("health_figures")
    op.create_index(
        "event_inbox_dead_idx",
        "event_inbox",
        ["tenant_id", "event_id"],
        postgresql_where=sa.text("outcome = 'dead'"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("event_inbox_dead_idx", "event_inbox")
    op.drop_table("health_figures")
