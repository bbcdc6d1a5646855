"""gifts: Keep files of recipients until their columns are understood.

Why: a file whose encoding or columns had to be guessed is shown before it is taken, and what
somebody said of its columns is remembered for the next one.
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_2200"
down_revision = "20261122_1800"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "gift_files",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, primary_key=True),
        sa.Column("data_sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
    )
    isolate("gift_files")
    op.create_table(
        "gift_columns",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("purpose", sa.Text, primary_key=True),
        sa.Column("columns", JSONB, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    isolate("gift_columns")


def downgrade() -> None:
    """Undo."""
    op.drop_table("gift_columns")
    op.drop_table("gift_files")
