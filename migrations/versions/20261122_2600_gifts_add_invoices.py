"""gifts: Keep the invoice for an order as it was drawn up.

Why: an invoice says the same for ever, so what it says is kept and not worked out again; its number
comes from the contract's row, which is locked by whoever takes one, so that no number is left out.
An order keeps what its fees are made of from its submission on.
Phase: expand.  Locks: gift_contracts and gift_orders, for as long as a column takes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_2600"
down_revision = "20261122_2500"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "gift_contracts",
        sa.Column("next_invoice", sa.BigInteger, nullable=False, server_default=sa.text("1")),
    )
    op.add_column("gift_orders", sa.Column("fee_terms", JSONB))
    op.create_table(
        "gift_invoices",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint("number > 0", name=op.f("gift_invoices_number_positive_check")),
    )
    isolate("gift_invoices")


def downgrade() -> None:
    """Undo."""
    op.drop_table("gift_invoices")
    op.drop_column("gift_orders", "fee_terms")
    op.drop_column("gift_contracts", "next_invoice")
