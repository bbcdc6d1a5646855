"""identity: Add connections to tenants' own identity providers.

Why: staff sign in with the accounts they have at their organisation (ADR 0031).
Phase: expand; sessions that exist were opened here.  Locks: identity_sessions, briefly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_1400"
down_revision = "20261122_1300"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("identity_connections", "identity_links")


def upgrade() -> None:
    """Apply."""
    op.add_column("identity_sessions", sa.Column("connection_id", sa.Uuid))
    op.create_table(
        "identity_connections",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary),
        sa.Column("secret_in", sa.Text, nullable=False),
        sa.Column("algorithms", JSONB, nullable=False),
        sa.Column("scopes", JSONB, nullable=False),
        sa.Column("authorization_endpoint", sa.Text, nullable=False),
        sa.Column("token_endpoint", sa.Text, nullable=False),
        sa.Column("jwks_uri", sa.Text, nullable=False),
        sa.Column("promises_issuer", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
        sa.CheckConstraint("secret_in IN ('header', 'body')", name="secret_place_known"),
    )
    op.create_table(
        "identity_links",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("connection_id", sa.Uuid, primary_key=True),
        sa.Column("subject_index", sa.LargeBinary, primary_key=True),
        sa.Column("home_tenant_id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.UniqueConstraint("tenant_id", "connection_id", "person_id"),
    )
    op.create_index(
        "identity_links_tenant_id_person_id_idx", "identity_links", ["tenant_id", "person_id"]
    )
    for table in TABLES:
        isolate(table)


def downgrade() -> None:
    """Undo: whoever came by a connection signs in with their password."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("identity_sessions", "connection_id")
