"""identity: Add sessions and invitations.

Why: people sign in to the pages, and are invited to them by link (ADR 0013).
Phase: expand.  Locks: identity_revocations, for a constraint on few rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261121_1200"
down_revision = "20261121_1140"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("identity_sessions", "identity_invitations")
KIND_KNOWN = "identity_revocations_kind_known_check"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_sessions",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("home_tenant_id", sa.Uuid, nullable=False),
        sa.Column("membership_id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
    )
    op.create_index(
        "identity_sessions_tenant_id_person_id_idx",
        "identity_sessions",
        ["tenant_id", "person_id"],
    )
    op.create_table(
        "identity_invitations",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("shop_id", sa.Uuid),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("email_sealed", sa.LargeBinary),
        sa.Column("invited_by", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("taken_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.UniqueConstraint("tenant_id", "code_hash"),
    )
    for table in TABLES:
        isolate(table)
    _know_kinds("'client', 'token', 'session'")


def downgrade() -> None:
    """Undo."""
    # Policies bind the owner too, and a migration is of no tenant.
    op.execute("ALTER TABLE identity_revocations NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM identity_revocations WHERE kind = 'session'")
    op.execute("ALTER TABLE identity_revocations FORCE ROW LEVEL SECURITY")
    _know_kinds("'client', 'token'")
    for table in reversed(TABLES):
        op.drop_table(table)


def _know_kinds(kinds: str) -> None:
    op.drop_constraint(op.f(KIND_KNOWN), "identity_revocations")
    op.create_check_constraint(op.f(KIND_KNOWN), "identity_revocations", f"kind IN ({kinds})")
