"""identity: Add the tablets of shops and the PINs on them.

Why: a shop's tablet is signed in by itself, and clerks without an account use it (ADR 0030).
Phase: expand.  Locks: none but of the tables that it makes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261122_1300"
down_revision = "20261122_1100"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("identity_pairings", "identity_terminals", "identity_clerks", "identity_tills")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "identity_pairings",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("secret_hash", sa.LargeBinary, primary_key=True),
        sa.Column("user_code_hash", sa.LargeBinary, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("home_tenant_id", sa.Uuid),
        sa.Column("terminal_id", sa.Uuid),
        sa.Column("denied_at", INSTANT),
        sa.UniqueConstraint("tenant_id", "user_code_hash"),
    )
    _add_terminals()
    _add_clerks()
    op.create_table(
        "identity_tills",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("shop_id", sa.Uuid, primary_key=True),
        sa.Column("asks_pin", sa.Boolean, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    for table in TABLES:
        isolate(table)


def _add_terminals() -> None:
    op.create_table(
        "identity_terminals",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("shop_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary),
        sa.Column("before_hash", sa.LargeBinary),
        sa.Column("exchanged_at", INSTANT),
        sa.Column("paired_by", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("session_id", sa.Uuid),
        sa.Column("clerk_id", sa.Uuid),
        sa.Column("opened_at", INSTANT),
    )
    op.create_index(
        "identity_terminals_tenant_id_shop_id_idx", "identity_terminals", ["tenant_id", "shop_id"]
    )


def _add_clerks() -> None:
    op.create_table(
        "identity_clerks",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("shop_id", sa.Uuid, nullable=False),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("membership_id", sa.Uuid),
        sa.Column("person_id", sa.Uuid),
        sa.Column("pin_hash", sa.Text, nullable=False),
        sa.Column("pin_kid", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("removed_at", INSTANT),
        sa.CheckConstraint("failures >= 0", name="failures_counted"),
        sa.CheckConstraint("(membership_id IS NULL) = (person_id IS NULL)", name="whole_member"),
    )
    op.create_index(
        "identity_clerks_tenant_id_shop_id_idx", "identity_clerks", ["tenant_id", "shop_id"]
    )


def downgrade() -> None:
    """Undo."""
    for table in reversed(TABLES):
        op.drop_table(table)
