"""messaging: Begin a message of bulk by one call.

Why: each letter cost a transaction of eight statements; now it costs one call and one commit.
Phase: expand.  Locks: brief.
"""

from __future__ import annotations

from alembic import op

from giftpad.kernel.migrate import FUNCTION_ROOMS, load_functions

revision = "20261122_2700"
down_revision = "20261122_2610"
branch_labels = None
depends_on = None

FUNCTIONS = "6c5c70ecf59064e60dd8326077330e29e5a76a4e231e6d39f1d26be82375ce1c"
"""What was loaded last; tests/house/test_migrations.py says what to do when a function changes."""


def upgrade() -> None:
    """Apply."""
    load_functions(*FUNCTION_ROOMS)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION IF EXISTS messaging_begin_next")
