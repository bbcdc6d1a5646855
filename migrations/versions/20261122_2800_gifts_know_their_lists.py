"""gifts: A claim knows the list by which its supplier was told of it.

Why: a supplier's list was whatever stood there when somebody asked, and marking it another act;
between the two a parcel could be sent twice, or never.  What was marked before becomes one list
for each moment at which somebody marked.
Phase: expand.  Locks: gift_claims, for as long as a column without a default takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_2800"
down_revision = "20261122_2700"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("gift_claims", sa.Column("list_id", sa.Uuid))
    op.execute("ALTER TABLE gift_claims NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE gift_claims SET list_id = md5(tenant_id::text || supplier || listed_at::text)::uuid"
        " WHERE listed_at IS NOT NULL"
    )
    op.execute("ALTER TABLE gift_claims FORCE ROW LEVEL SECURITY")
    op.create_index(
        "gift_claims_list_idx",
        "gift_claims",
        ["tenant_id", "list_id"],
        postgresql_where=sa.text("list_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("gift_claims_list_idx", "gift_claims")
    op.drop_column("gift_claims", "list_id")
