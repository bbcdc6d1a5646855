"""gifts: What was chosen with a gift is found, also what was withdrawn since.

Why: whether anybody has chosen with a gift is asked for each gift of a page; the index there was
knows only claims that stand.
Phase: expand; the running code is only quicker.  Locks: gift_claims against writing, for as long as
it takes to read it.
"""

from __future__ import annotations

from alembic import op

revision = "20261123_3140"
down_revision = "20261122_3130"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("gift_claims_gift_idx", "gift_claims", ["tenant_id", "gift_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("gift_claims_gift_idx", "gift_claims")
