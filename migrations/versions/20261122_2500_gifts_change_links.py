"""gifts: Links that were changed, and gifts that were passed on.

Why: the card that was lost and the link that was given away must stay dead and say why; a gift
that was passed on keeps for its sender whom it was for.
Phase: expand.  Locks: gifts, gift_orders, gift_prints, for as long as columns without a computed
default take.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261122_2500"
down_revision = "20261122_2400"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "gift_old_links",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("locator", sa.BigInteger, primary_key=True),
        sa.Column("gift_id", sa.Uuid, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.CheckConstraint("why IN ('replaced', 'passed_on')", name="why_known"),
    )
    op.create_index("gift_old_links_gift_idx", "gift_old_links", ["tenant_id", "gift_id"])
    isolate("gift_old_links")
    op.add_column(
        "gift_orders",
        sa.Column("can_be_passed_on", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.add_column("gifts", sa.Column("first_sealed", sa.LargeBinary))
    op.add_column("gifts", sa.Column("passed_on_at", INSTANT))
    op.add_column("gift_prints", sa.Column("gift_id", sa.Uuid))


def downgrade() -> None:
    """Undo."""
    op.drop_column("gift_prints", "gift_id")
    op.drop_column("gifts", "passed_on_at")
    op.drop_column("gifts", "first_sealed")
    op.drop_column("gift_orders", "can_be_passed_on")
    op.drop_table("gift_old_links")
