"""identity: Add second factors, forgotten passwords and what a tenant asks of its people.

Why: a password alone opens money to whoever has read it (ADR 0029).
Phase: expand.  Locks: none that anybody waits for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261122_1100"
down_revision = "20261122_1000"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "identity_authenticators",
    "identity_passkeys",
    "identity_recovery_codes",
    "identity_used_challenges",
    "identity_resets",
    "identity_policies",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_authenticators",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, primary_key=True),
        sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("wrong_codes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.CheckConstraint("wrong_codes >= 0", name="wrong_codes_counted"),
    )
    op.create_table(
        "identity_passkeys",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("is_synced", sa.Boolean, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.UniqueConstraint("tenant_id", "credential_id"),
    )
    op.create_index(
        "identity_passkeys_tenant_id_person_id_idx",
        "identity_passkeys",
        ["tenant_id", "person_id"],
    )
    op.create_table(
        "identity_recovery_codes",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, primary_key=True),
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
    )
    op.create_table(
        "identity_used_challenges",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("challenge_hash", sa.LargeBinary, primary_key=True),
        sa.Column("kept_until", INSTANT, nullable=False),
    )
    _add_resets()
    op.create_table(
        "identity_policies",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("second_step", sa.Text, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint("second_step IN ('keepers', 'everyone')", name="second_step_known"),
    )
    for table in TABLES:
        isolate(table)


def _add_resets() -> None:
    op.create_table(
        "identity_resets",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email_index", sa.LargeBinary, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("code_hash", sa.LargeBinary),
        sa.Column("tries", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
    )
    op.create_index(
        "identity_resets_tenant_id_email_index_idx",
        "identity_resets",
        ["tenant_id", "email_index"],
    )


def downgrade() -> None:
    """Take back."""
    for table in reversed(TABLES):
        op.drop_table(table)
