"""guard: Add the table of what is switched while the product runs.

Why: on the day of a sale the share of visitors that is let in changes within seconds, and what
is heavy can be switched off by name (docs/operating/overload.md).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261121_1300"
down_revision = "20261121_1230"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "guard_switches",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value BETWEEN 0 AND 64", name=op.f("guard_switches_value_check")),
    )
    isolate("guard_switches", app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Undo."""
    op.drop_table("guard_switches")
