"""events: Leave room in the pages of the outbox.

Why: an event is written three times, when it happens, when it is taken and when it is done; with
room beside it the second time touches no index.
Phase: expand; pages that are full stay as they are.  Locks: event_outbox, for a moment.
"""

from __future__ import annotations

from alembic import op

revision = "20261121_1330"
down_revision = "20261121_1320"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE event_outbox SET (fillfactor = 50)")


def downgrade() -> None:
    """Undo."""
    op.execute("ALTER TABLE event_outbox RESET (fillfactor)")
