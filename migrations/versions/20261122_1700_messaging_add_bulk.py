"""messaging: Add bulk queues, runs, references, letterheads, suppressions.

Why: letters to many are sent in runs that can be watched and paused, and never stand before a
code; whoever asked for a message hears what became of it (ADR 0033).
Phase: expand; the running code ignores the columns.  Locks: messaging_messages, while its rows are
checked: it holds 30 days of messages.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_1700"
down_revision = "20261122_1600"
branch_labels = None
depends_on = None

TABLE = "messaging_messages"
INSTANT = sa.DateTime(timezone=True)
TABLES = (
    *("messaging_suppressions", "messaging_letterheads", "messaging_lines"),
    *("messaging_run_minutes", "messaging_runs"),
)
COUNTS = ("sent", "delivered", "bounced", "failed", "unknown", "expired", "suppressed")
BEFORE = {
    "queue_known": "queue IN ('otp', 'tx-mail', 'tx-sms')",
    "state_known": "state IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'expired')",
    "sent_is_forgotten": "values_sealed IS NULL OR state <> ALL (ARRAY['sent', 'expired'])",
}
CHANGED = {
    "queue_known": "queue IN ('otp', 'tx-mail', 'tx-sms', 'bulk-mail', 'bulk-sms')",
    "state_known": "state IN ('queued', 'sending', 'sent', 'delivered', 'bounced', 'failed',"
    " 'unknown', 'expired', 'suppressed')",
    "sent_is_forgotten": "values_sealed IS NULL"
    " OR state <> ALL (ARRAY['sent', 'delivered', 'bounced', 'expired'])",
}
ADDED = {"only_bulk_is_in_a_run": "run_id IS NULL OR queue IN ('bulk-mail', 'bulk-sms')"}


def _check(rules: dict[str, str]) -> None:
    for name, rule in rules.items():
        op.create_check_constraint(op.f(f"{TABLE}_{name}_check"), TABLE, rule)


def _uncheck(rules: dict[str, str]) -> None:
    for name in rules:
        op.drop_constraint(op.f(f"{TABLE}_{name}_check"), TABLE)


def _index_due(*columns: str) -> None:
    op.create_index(
        f"{TABLE}_due_idx",
        TABLE,
        ["tenant_id", *columns, "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def upgrade() -> None:
    """Apply."""
    op.add_column(TABLE, sa.Column("run_id", sa.Uuid))
    op.add_column(TABLE, sa.Column("reference", sa.Uuid))
    op.add_column(
        TABLE, sa.Column("asks_first", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.add_column(TABLE, sa.Column("told_at", INSTANT))
    _uncheck(BEFORE)
    _check(CHANGED | ADDED)
    op.drop_index(f"{TABLE}_due_idx", TABLE)
    _index_due("queue", "run_id")
    op.create_index(
        f"{TABLE}_unknown_idx",
        TABLE,
        ["tenant_id", "id"],
        postgresql_where=sa.text("state = 'unknown'"),
    )
    _add_runs()
    op.create_table(
        "messaging_lines",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("held_until", INSTANT),
    )
    isolate("messaging_lines")
    op.create_table(
        "messaging_letterheads",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("sender_names", JSONB, nullable=False),
        sa.Column("reply_to", sa.Text, nullable=False),
        sa.Column("return_path", sa.Text, nullable=False),
        sa.Column("wordings", JSONB, nullable=False),
    )
    isolate("messaging_letterheads")
    _add_suppressions()


def _add_suppressions() -> None:
    table = "messaging_suppressions"
    op.create_table(
        table,
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address_index", sa.LargeBinary, nullable=False),
        sa.Column("shown_sealed", sa.LargeBinary),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message_id", sa.Uuid),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("lifted_at", INSTANT),
        sa.Column("lifted_by", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.CheckConstraint("channel IN ('mail', 'sms')", name=op.f(f"{table}_channel_known_check")),
        sa.CheckConstraint(
            "reason IN ('bounced', 'complained', 'unsubscribed')",
            name=op.f(f"{table}_reason_known_check"),
        ),
    )
    op.create_index(
        f"{table}_address_idx",
        table,
        ["tenant_id", "address_index", "reason"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index(f"{table}_old_idx", table, ["tenant_id", "delete_after"])
    isolate(table)


def _add_runs() -> None:
    op.create_table(
        "messaging_runs",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reference", sa.Uuid),
        *(
            sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))
            for name in ("total", *COUNTS)
        ),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("paused_at", INSTANT),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.CheckConstraint(
            f"LEAST({', '.join(COUNTS)}, total - ({' + '.join(COUNTS)})) >= 0",
            name=op.f("messaging_runs_counts_add_up_check"),
        ),
    )
    op.create_index("messaging_runs_old_idx", "messaging_runs", ["tenant_id", "delete_after"])
    isolate("messaging_runs")
    op.create_table(
        "messaging_run_minutes",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("run_id", sa.Uuid, primary_key=True),
        sa.Column("minute", INSTANT, primary_key=True),
        sa.Column("began_at", INSTANT, nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False),
    )
    isolate("messaging_run_minutes")


def downgrade() -> None:
    """Undo; the release before has no queue for bulk, and does not know what came of it."""
    for table in TABLES:
        op.drop_table(table)
    # Policies bind the owner too, and a migration is of no tenant.
    op.execute(f"ALTER TABLE {TABLE} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"DELETE FROM {TABLE} WHERE queue LIKE 'bulk-%'")  # noqa: S608 - a constant
    op.execute(
        f"UPDATE {TABLE} SET state = CASE state"  # noqa: S608 - as above
        " WHEN 'suppressed' THEN 'failed' ELSE 'sent' END"
        " WHERE state IN ('delivered', 'bounced', 'suppressed')"
    )
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    op.drop_index(f"{TABLE}_unknown_idx", TABLE)
    op.drop_index(f"{TABLE}_due_idx", TABLE)
    _index_due()
    _uncheck(CHANGED | ADDED)
    _check(BEFORE)
    for column in ("told_at", "asks_first", "reference", "run_id"):
        op.drop_column(TABLE, column)
