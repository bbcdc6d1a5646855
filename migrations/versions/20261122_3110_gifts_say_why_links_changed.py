"""gifts: Links that were changed with an address say so.

Why: whoever has the old letter beside the new one was told that there is no such gift.
Phase: expand.  Locks: gift_old_links, for as long as it takes to read it through.
"""

from __future__ import annotations

from alembic import op

revision = "20261122_3110"
down_revision = "20261122_3100"
branch_labels = None
depends_on = None

BEFORE = ("replaced", "passed_on")


def _know(reasons: tuple[str, ...]) -> None:
    name = op.f("gift_old_links_why_known_check")
    op.drop_constraint(name, "gift_old_links")
    words = ", ".join(repr(reason) for reason in reasons)
    op.create_check_constraint(name, "gift_old_links", f"why IN ({words})")


def upgrade() -> None:
    """Apply."""
    _know((*BEFORE, "readdressed"))


def downgrade() -> None:
    """Undo; what the table did not know before is gone then, and those links are unknown."""
    op.execute("DELETE FROM gift_old_links WHERE why = 'readdressed'")
    _know(BEFORE)
