"""identity: Add clients, people, memberships, signing keys and revocations.

Why: every route asks who calls; machines take tokens that verify without a query (ADR 0013).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1100"
down_revision = "20261121_1050"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "identity_clients",
    "identity_client_grants",
    "identity_people",
    "identity_memberships",
    "identity_signing_keys",
    "identity_revocations",
)


def _add_clients() -> None:
    op.create_table(
        "identity_clients",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("home_tenant_id", sa.Uuid, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
    )
    op.create_table(
        "identity_client_grants",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("permissions", JSONB, nullable=False),
        sa.Column("shop_id", sa.Uuid),
        sa.Column("limits", JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
    )


def _add_people() -> None:
    op.create_table(
        "identity_people",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email_sealed", sa.LargeBinary, nullable=False),
        sa.Column("email_index", sa.LargeBinary, nullable=False),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
        sa.Column("delete_after", INSTANT),
        sa.UniqueConstraint("tenant_id", "email_index"),
    )
    op.create_table(
        "identity_memberships",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("shop_id", sa.Uuid),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint(
            "tenant_id", "person_id", "role", "shop_id", postgresql_nulls_not_distinct=True
        ),
    )


def _add_keys() -> None:
    op.create_table(
        "identity_signing_keys",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("public", JSONB, nullable=False),
        sa.Column("private_wrapped", sa.LargeBinary),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("promoted_at", INSTANT),
        sa.Column("kept_until", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.CheckConstraint(
            "state IN ('next', 'current', 'previous', 'revoked')", name="state_known"
        ),
    )
    op.create_index(
        "identity_signing_keys_one_signs",
        "identity_signing_keys",
        ["tenant_id", "state"],
        unique=True,
        postgresql_where=sa.text("state IN ('next', 'current')"),
    )
    op.create_table(
        "identity_revocations",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("kept_until", INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('client', 'token')", name="kind_known"),
    )


def upgrade() -> None:
    """Apply."""
    _add_clients()
    _add_people()
    _add_keys()
    for table in TABLES:
        isolate(table)


def downgrade() -> None:
    """Undo."""
    for table in reversed(TABLES):
        op.drop_table(table)
