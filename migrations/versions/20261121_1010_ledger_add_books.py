"""ledger: Add accounts, transfers and the functions that alone may write them.

Why: every yen is somewhere, and only a balanced movement can change where (ADR 0002).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate, run_sql_file

revision = "20261121_1010"
down_revision = "20261121_1000"
branch_labels = None
depends_on = None

FUNCTIONS = {
    "ledger_open_account": "uuid, uuid, uuid, text, text, boolean, uuid",
    "ledger_transfer": "uuid, uuid, uuid, text, uuid, uuid, bigint, uuid, timestamptz",
    "ledger_lock_account": "uuid, uuid",
    "ledger_issue_many": "uuid, uuid, text, text, uuid, uuid[], uuid[], bigint, timestamptz",
    "ledger_drain_many": "uuid, uuid, text, uuid, uuid[], uuid[], timestamptz",
}


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
    for name, arguments in FUNCTIONS.items():
        run_sql_file("ledger", name)
        op.execute(f"ALTER FUNCTION {name}({arguments}) OWNER TO giftpad_ledger")
        # The owner cannot change the rights of what it gave away, except as its new owner.
        op.execute("SET LOCAL ROLE giftpad_ledger")
        op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO giftpad_app")
        op.execute("SET LOCAL ROLE giftpad_owner")
    # Needed to be given the functions, and for nothing afterwards.
    op.execute("REVOKE CREATE ON SCHEMA public FROM giftpad_ledger")


def downgrade() -> None:
    """Undo."""
    for name, arguments in FUNCTIONS.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.drop_table("ledger_transfers")
    op.drop_table("ledger_accounts")
