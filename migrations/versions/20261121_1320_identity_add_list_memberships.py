"""identity: Add the function that looks for a person's roles in all tenants.

Why: signing in opened a transaction in every tenant, so its time grew with the tenants.
Phase: expand.  Locks: brief.
"""

from __future__ import annotations

from alembic import op

from giftpad.kernel.migrate import FUNCTION_ROOMS, load_functions

revision = "20261121_1320"
down_revision = "20261121_1310"
branch_labels = None
depends_on = None

FUNCTIONS = "d4d694f1ec0ff89c12ec4d1df0c224a6818e9318015f60fc71d52cfd730ae5a5"
"""What was loaded last; tests/house/test_migrations.py says what to do when a function changes."""


def upgrade() -> None:
    """Apply."""
    load_functions(*FUNCTION_ROOMS)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION IF EXISTS identity_list_memberships")
