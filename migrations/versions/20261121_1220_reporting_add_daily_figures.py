"""reporting: Add daily figures, and indexes of what pages ask for.

Why: an overview of a million coupons must not sum their transfers, and the record of who did what
is asked for by subject, by action and by actor; payments are asked
for by programme and by what was given back.
Phase: expand.  Locks: audit_entries, payment_history and payment_reversals, while their indexes
are built; no payment waits for it, but voids and refunds do.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261121_1220"
down_revision = "20261121_1210"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
FIGURES = (
    "issued_count",
    "issued_minor",
    "paid_count",
    "paid_minor",
    "voided_count",
    "voided_minor",
    "refunded_count",
    "refunded_minor",
    "expired_minor",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reporting_days",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("programme_id", sa.Uuid, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("unit", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))
            for name in FIGURES
        ),
    )
    isolate("reporting_days")
    op.create_index("audit_entries_subject_idx", "audit_entries", ["tenant_id", "subject", "seq"])
    op.create_index(
        "audit_entries_action_idx",
        "audit_entries",
        ["tenant_id", "action", "seq"],
        postgresql_ops={"action": "text_pattern_ops"},
    )
    op.create_index(
        "audit_entries_actor_idx",
        "audit_entries",
        ["tenant_id", sa.text("(actor ->> 'id')"), "seq"],
    )

    op.create_index(
        "payment_history_programme_idx",
        "payment_history",
        ["tenant_id", "programme_id", "payment_id"],
    )
    op.create_index(
        "payment_reversals_kind_idx", "payment_reversals", ["tenant_id", "kind", "payment_id"]
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("payment_reversals_kind_idx", "payment_reversals")
    op.drop_index("payment_history_programme_idx", "payment_history")
    for name in ("actor", "action", "subject"):
        op.drop_index(f"audit_entries_{name}_idx", "audit_entries")
    op.drop_table("reporting_days")
