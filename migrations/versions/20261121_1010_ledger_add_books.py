"""ledger: Add accounts, transfers and the functions that alone may write them.

Why: every yen is somewhere, and only a balanced movement can change where (ADR 0002).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import drop_functions, isolate, load_functions

revision = "20261121_1010"
down_revision = "20261121_1000"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ledger_accounts",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("book_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("balance_minor", sa.BigInteger),
        sa.Column("seq", sa.Integer),
        sa.CheckConstraint("balance_minor >= 0", name="balance_not_negative"),
        sa.CheckConstraint("(balance_minor IS NULL) = (seq IS NULL)", name="guarded_has_seq"),
    )
    op.create_index(
        "ledger_accounts_subject_key",
        "ledger_accounts",
        ["tenant_id", "book_id", "kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("subject_id IS NOT NULL"),
    )
    op.create_table(
        "ledger_transfers",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entry_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("debit_id", sa.Uuid, nullable=False),
        sa.Column("credit_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("debit_after_minor", sa.BigInteger),
        sa.Column("debit_seq", sa.Integer),
        sa.Column("credit_after_minor", sa.BigInteger),
        sa.Column("credit_seq", sa.Integer),
        sa.Column("reverses_id", sa.Uuid),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.CheckConstraint("debit_id <> credit_id", name="two_accounts"),
    )
    for table, ledger_may in (
        ("ledger_accounts", "SELECT, INSERT, UPDATE"),
        ("ledger_transfers", "SELECT, INSERT"),
    ):
        isolate(table, app="SELECT")
        op.execute(f"GRANT {ledger_may} ON {table} TO giftpad_ledger")
    load_functions("ledger")


def downgrade() -> None:
    """Undo."""
    drop_functions("ledger")
    op.drop_table("ledger_transfers")
    op.drop_table("ledger_accounts")
