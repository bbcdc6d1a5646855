"""programmes: Add programmes.

Why: what coupons are issued under, and what payments of them are judged by (ADR 0008).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1130"
down_revision = "20261121_1120"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "programme_programmes",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.Column("groups", ARRAY(sa.Text), nullable=False),
        sa.Column("areas", ARRAY(sa.Text), nullable=False),
        sa.Column("ceiling_minor", sa.BigInteger),
        sa.Column("valid_until", sa.Date),
        sa.Column("valid_days", sa.Integer),
        sa.Column("valid_months", sa.Integer),
        sa.Column("serial_prefix", sa.Text, nullable=False),
        sa.Column("face_text", JSONB, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("spendable_from", sa.Text, nullable=False),
        sa.Column("quantity_max", sa.Integer, nullable=False),
        sa.Column("face_value_min_minor", sa.BigInteger, nullable=False),
        sa.Column("face_value_max_minor", sa.BigInteger, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("changed_at", instant, nullable=False),
        sa.UniqueConstraint("tenant_id", "slug", name="programme_programmes_slug_key"),
        sa.UniqueConstraint("tenant_id", "serial_prefix", name="programme_programmes_prefix_key"),
        sa.CheckConstraint("ends_on >= starts_on", name="period_not_empty"),
        sa.CheckConstraint("ceiling_minor > 0", name="ceiling_positive"),
        sa.CheckConstraint(
            "num_nonnulls(valid_until, valid_days, valid_months) = 1", name="one_validity"
        ),
        sa.CheckConstraint("spendable_from IN ('release', 'hand_over')", name="spendable_known"),
        sa.CheckConstraint(
            "0 < face_value_min_minor AND face_value_min_minor <= face_value_max_minor",
            name="face_value_range",
        ),
        sa.CheckConstraint("quantity_max > 0", name="quantity_positive"),
    )
    isolate("programme_programmes", app="SELECT, INSERT, UPDATE")


def downgrade() -> None:
    """Undo."""
    op.drop_table("programme_programmes")
