"""events: Add the outbox, the inbox and the list of failures.

Why: a fact must leave if and only if its change is committed, and take effect exactly once.
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1020"
down_revision = "20261121_1010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event_outbox",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("object_id", sa.Uuid, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sendings", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("leased_until", INSTANT),
        sa.Column("done_at", INSTANT),
    )
    op.create_index(
        "event_outbox_pending_idx",
        "event_outbox",
        ["tenant_id", "object_id", "id"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "event_inbox",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("handler", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.CheckConstraint("outcome IN ('done', 'dead')", name="outcome_known"),
    )
    op.create_table(
        "event_failures",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("handler", sa.Text, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("failed_at", INSTANT, nullable=False),
    )
    for table in ("event_outbox", "event_inbox", "event_failures"):
        isolate(table)
    for table, rights in (
        ("event_outbox", "SELECT, UPDATE (leased_until, sendings, done_at)"),
        ("event_inbox", "SELECT"),
    ):
        op.execute(f"CREATE POLICY relay_all ON {table} TO giftpad_relay USING (true)")
        op.execute(f"GRANT {rights} ON {table} TO giftpad_relay")


def downgrade() -> None:
    """Undo."""
    for table in ("event_failures", "event_inbox", "event_outbox"):
        op.drop_table(table)
