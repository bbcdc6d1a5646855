"""tenancy: Add theme and logo to tenants.

Why: pages wear the colours and the logo of the tenant they belong to.  The packs applied so far
count as changed, so that applying them once more fills both.
Phase: expand.  Locks: tenants, for a moment.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261121_1210"
down_revision = "20261121_1200"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "tenants",
        sa.Column("theme", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    )
    op.add_column("tenants", sa.Column("logo", sa.Text))
    op.execute("UPDATE tenants SET pack_hash = 'before themes' WHERE pack_hash <> ''")


def downgrade() -> None:
    """Undo."""
    op.drop_column("tenants", "logo")
    op.drop_column("tenants", "theme")
