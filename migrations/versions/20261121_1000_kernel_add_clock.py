"""kernel: Add the database's clock and the rights every role starts with.

Why: money is judged by one instant, the transaction's own, read by one function.
Phase: expand.  Locks: none.
"""

from __future__ import annotations

from alembic import op

from giftpad.kernel.migrate import load_functions

revision = "20261121_1000"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    op.execute("GRANT USAGE ON SCHEMA public TO giftpad_app, giftpad_relay")
    op.execute("GRANT USAGE, CREATE ON SCHEMA public TO giftpad_ledger")
    op.execute("GRANT SELECT ON alembic_version TO giftpad_app")
    load_functions("kernel")


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION clock_now()")
    op.execute("REVOKE ALL ON alembic_version FROM giftpad_app")
    op.execute("REVOKE ALL ON SCHEMA public FROM giftpad_app, giftpad_relay, giftpad_ledger")
