"""coupons: Add batches, chunks, volumes, serial counters and replacements.

Why: paper coupons are made, printed and released together, in runs of serials and locators.
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1140"
down_revision = "20261121_1130"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
RIGHTS = {
    "coupon_batches": "SELECT, INSERT, UPDATE",
    "coupon_chunks": "SELECT, INSERT, UPDATE",
    "coupon_volumes": "SELECT, INSERT, UPDATE",
    "coupon_serials": "SELECT, INSERT, UPDATE",
    "coupon_replacements": "SELECT, INSERT",
}


def upgrade() -> None:
    """Apply."""
    _create_batches()
    _create_parts()
    _create_counters()
    for table, rights in RIGHTS.items():
        isolate(table, app=rights)


def downgrade() -> None:
    """Undo."""
    for table in reversed(RIGHTS):
        op.drop_table(table)


def _create_batches() -> None:
    op.create_table(
        "coupon_batches",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("serial_first", sa.BigInteger, nullable=False),
        sa.Column("locator_first", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("face_value_minor", sa.BigInteger, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("face", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("terms_id", sa.Uuid, nullable=False),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("batch_key", sa.LargeBinary),
        sa.Column("kid", sa.SmallInteger, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_text", sa.Text),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("released_at", INSTANT),
        sa.Column("print_destroyed_at", INSTANT),
        sa.Column("drained_to", sa.BigInteger),
        sa.Column("drained_minor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("expired_at", INSTANT),
        sa.UniqueConstraint("tenant_id", "programme_id", "serial_first"),
        sa.UniqueConstraint(
            "tenant_id", "locator_first", name="coupon_batches_tenant_id_locator_key"
        ),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000000", name="quantity_bounded"),
        sa.CheckConstraint("face_value_minor > 0", name="face_value_positive"),
        sa.CheckConstraint(
            "state IN ('ordered', 'issuing', 'printing', 'verifying', 'ready', 'released',"
            " 'failed')",
            name="state_known",
        ),
        sa.CheckConstraint(
            "(batch_key IS NULL) = (print_destroyed_at IS NOT NULL)", name="key_or_destroyed"
        ),
    )
    op.create_index(
        "coupon_batches_ends_at_idx",
        "coupon_batches",
        ["tenant_id", "ends_at"],
        postgresql_where=sa.text("expired_at IS NULL"),
    )
    op.create_index(
        "coupon_batches_released_at_idx",
        "coupon_batches",
        ["tenant_id", "released_at"],
        postgresql_where=sa.text("batch_key IS NOT NULL"),
    )


def _part_columns() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("batch_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("serial_first", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.UniqueConstraint("tenant_id", "batch_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"], ["coupon_batches.tenant_id", "coupon_batches.id"]
        ),
    ]


def _create_parts() -> None:
    op.create_table(
        "coupon_chunks",
        *_part_columns(),
        sa.Column("done_at", INSTANT),
        sa.CheckConstraint("state IN ('due', 'running', 'done')", name="state_known"),
    )
    op.create_table(
        "coupon_volumes",
        *_part_columns(),
        sa.Column("claimed_until", INSTANT),
        sa.Column("file_id", sa.Uuid),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("page_count", sa.Integer),
        sa.Column("problems", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("ready_at", INSTANT),
        sa.CheckConstraint(
            "state IN ('due', 'printing', 'verifying', 'ready', 'failed')", name="state_known"
        ),
    )


def _create_counters() -> None:
    op.create_table(
        "coupon_serials",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("next_serial", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "coupon_replacements",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("old_batch_id", sa.Uuid, primary_key=True),
        sa.Column("old_serial", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("new_batch_id", sa.Uuid, nullable=False),
        sa.Column("new_serial", sa.BigInteger, nullable=False),
        sa.Column("balance_minor", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.UniqueConstraint("tenant_id", "new_batch_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "new_batch_id"], ["coupon_batches.tenant_id", "coupon_batches.id"]
        ),
    )
