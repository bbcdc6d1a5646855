"""guard: Add the table of idempotency keys.

Why: every write can be repeated safely, and there is one mechanism for it (ADR 0003).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1030"
down_revision = "20261121_1020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "guard_keys",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("answer_ref", sa.Uuid),
        sa.Column("answer_status", sa.SmallInteger),
        sa.Column("answer", JSONB),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
    )
    isolate("guard_keys")


def downgrade() -> None:
    """Undo."""
    op.drop_table("guard_keys")
