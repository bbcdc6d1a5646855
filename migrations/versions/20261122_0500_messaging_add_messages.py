"""messaging: Add messages.

Why: mail and SMS are recorded with the change that they tell of, and sent from a queue after it is
committed (ADR 0028).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261122_0500"
down_revision = "20261121_1340"
branch_labels = None
depends_on = None

TABLE = "messaging_messages"
INSTANT = sa.DateTime(timezone=True)
CHECKS = {
    "channel_known": "channel IN ('mail', 'sms')",
    "queue_known": "queue IN ('otp', 'tx-mail', 'tx-sms')",
    "state_known": "state IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'expired')",
    "open_is_due": "(state IN ('queued', 'sending')) = (due_at IS NOT NULL)",
    "sending_is_leased": "(state = 'sending') = (leased_until IS NOT NULL)",
    "sent_is_forgotten": "values_sealed IS NULL OR state <> ALL (ARRAY['sent', 'expired'])",
    "code_is_forgotten": "values_sealed IS NULL OR queue <> 'otp'"
    " OR state = ANY (ARRAY['queued', 'sending'])",
}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("recipient_sealed", sa.LargeBinary, nullable=False),
        sa.Column("values_sealed", sa.LargeBinary),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("leased_until", INSTANT),
        sa.Column("due_at", INSTANT),
        sa.Column("send_before", INSTANT),
        sa.Column("provider_id", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("last_error", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("delete_after", INSTANT, nullable=False),
        *(
            sa.CheckConstraint(rule, name=op.f(f"{TABLE}_{name}_check"))
            for name, rule in CHECKS.items()
        ),
    )
    op.create_index(
        f"{TABLE}_due_idx",
        TABLE,
        ["tenant_id", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(f"{TABLE}_old_idx", TABLE, ["tenant_id", "delete_after"])
    isolate(TABLE)


def downgrade() -> None:
    """Undo."""
    op.drop_table(TABLE)
