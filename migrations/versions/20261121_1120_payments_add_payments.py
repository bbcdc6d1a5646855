"""payments: Add instruments, terms, payments and the functions that judge and pay.

Why: a payment is one call in one round trip, with its key and its event (ADR 0002).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from giftpad.kernel.migrate import drop_functions, isolate, load_functions

revision = "20261121_1120"
down_revision = "20261121_1110"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "payment_rules",
    "payment_terms",
    "payment_instruments",
    "payment_locators",
    "payment_payments",
    "payment_reversals",
    "payment_history",
)
CHANGEABLE = {
    "payment_rules": "unit, ceiling_minor, groups, areas",
    "payment_terms": "released_at",
    "payment_instruments": "state",
    "payment_locators": "next_locator",
    "payment_payments": "refunded_minor, voided_at",
}
"""What may change after it was written: an alias never moves to another account."""


def _tenant_and(*columns: sa.Column[object]) -> tuple[sa.Column[object], ...]:
    return (sa.Column("tenant_id", sa.Uuid, primary_key=True), *columns)


def _add_instruments() -> None:
    op.create_table(
        "payment_rules",
        *_tenant_and(
            sa.Column("programme_id", sa.Uuid, primary_key=True),
            sa.Column("unit", sa.Text, nullable=False),
            sa.Column("ceiling_minor", sa.BigInteger),
            sa.Column("groups", ARRAY(sa.Text), nullable=False),
            sa.Column("areas", ARRAY(sa.Text), nullable=False),
        ),
    )
    op.create_table(
        "payment_terms",
        *_tenant_and(
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("programme_id", sa.Uuid, nullable=False),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("starts_at", INSTANT, nullable=False),
            sa.Column("ends_at", INSTANT, nullable=False),
            sa.Column("released_at", INSTANT),
        ),
        sa.CheckConstraint("starts_at < ends_at", name="period"),
    )
    op.create_table(
        "payment_instruments",
        *_tenant_and(
            sa.Column("locator", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("code_hash", sa.LargeBinary, nullable=False),
            sa.Column("account_id", sa.Uuid, nullable=False),
            sa.Column("terms_id", sa.Uuid, nullable=False),
            sa.Column("state", sa.Text, nullable=False),
        ),
        sa.UniqueConstraint("tenant_id", "code_hash"),
        sa.CheckConstraint("state IN ('live', 'blocked', 'replaced')", name="state_known"),
    )
    op.create_table(
        "payment_locators", *_tenant_and(sa.Column("next_locator", sa.BigInteger, nullable=False))
    )


def _add_payments() -> None:
    op.create_table(
        "payment_payments",
        *_tenant_and(
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("locator", sa.BigInteger, nullable=False),
            sa.Column("account_id", sa.Uuid, nullable=False),
            sa.Column("programme_id", sa.Uuid, nullable=False),
            sa.Column("shop_id", sa.Uuid, nullable=False),
            sa.Column("unit", sa.Text, nullable=False),
            sa.Column("amount_minor", sa.BigInteger, nullable=False),
            sa.Column("balance_after_minor", sa.BigInteger, nullable=False),
            sa.Column("refunded_minor", sa.BigInteger, nullable=False),
            sa.Column("voided_at", INSTANT),
            sa.Column("transfer_id", sa.Uuid, nullable=False),
            sa.Column("client_id", sa.Text, nullable=False),
            sa.Column("actor", sa.Text, nullable=False),
            sa.Column("at", INSTANT, nullable=False),
        ),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refund_within"),
        sa.CheckConstraint("voided_at IS NULL OR refunded_minor = 0", name="void_or_refund"),
    )
    op.create_table(
        "payment_reversals",
        *_tenant_and(
            sa.Column("payment_id", sa.Uuid, primary_key=True),
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("amount_minor", sa.BigInteger, nullable=False),
            sa.Column("balance_after_minor", sa.BigInteger, nullable=False),
            sa.Column("transfer_id", sa.Uuid, nullable=False),
            sa.Column("reason", sa.Text, nullable=False),
            sa.Column("actor", sa.Text, nullable=False),
            sa.Column("at", INSTANT, nullable=False),
        ),
        sa.CheckConstraint("kind IN ('void', 'refund')", name="kind_known"),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
    )


def _add_history() -> None:
    op.create_table(
        "payment_history",
        *_tenant_and(
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("payment_id", sa.Uuid, nullable=False),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("account_id", sa.Uuid, nullable=False),
            sa.Column("shop_id", sa.Uuid, nullable=False),
            sa.Column("programme_id", sa.Uuid, nullable=False),
            sa.Column("amount_minor", sa.BigInteger, nullable=False),
            sa.Column("balance_minor", sa.BigInteger, nullable=False),
            sa.Column("at", INSTANT, nullable=False),
        ),
    )
    for name, column in (("shop", "shop_id"), ("account", "account_id")):
        op.create_index(
            f"payment_history_{name}_idx", "payment_history", ["tenant_id", column, "payment_id"]
        )


def upgrade() -> None:
    """Apply."""
    _add_instruments()
    _add_payments()
    _add_history()
    for table in TABLES:
        changeable = CHANGEABLE.get(table, "")
        isolate(table, app="SELECT, INSERT" + (f", UPDATE ({changeable})" if changeable else ""))
    load_functions("payments")


def downgrade() -> None:
    """Undo."""
    drop_functions("payments")
    for table in reversed(TABLES):
        op.drop_table(table)
