"""identity: Add the visits of operators in tenants.

Why: an operator acts in one tenant at a time, with a reason that the tenant reads (ADR 0032).
Phase: expand; sessions that exist are no visits.  Locks: identity_sessions, briefly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261122_1500"
down_revision = "20261122_1400"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.add_column("identity_sessions", sa.Column("visits_from", sa.Uuid))
    op.create_table(
        "identity_visits",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("from_membership_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.CheckConstraint("role IN ('visitor', 'visiting_viewer')", name="role_known"),
        sa.CheckConstraint("ends_at > began_at", name="ends_later"),
    )
    op.create_index(
        "identity_visits_open_idx",
        "identity_visits",
        ["tenant_id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    isolate("identity_visits")


def downgrade() -> None:
    """Undo: sessions of visits open nothing in the release before, which knows no visits."""
    op.drop_table("identity_visits")
    op.drop_column("identity_sessions", "visits_from")
