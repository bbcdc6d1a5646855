"""payments: Add functions that pay and look up for several in one transaction.

Why: under load those who wait for a connection anyway share a round trip and a flush to the disk.
payments_pay itself has fewer statements.
Phase: expand.  Locks: brief.
"""

from __future__ import annotations

from giftpad.kernel.migrate import FUNCTION_ROOMS, load_functions

revision = "20261121_1340"
down_revision = "20261121_1330"
branch_labels = None
depends_on = None

FUNCTIONS = "e7a415784f026d83cbc0c94d36ea1668da052cba29d7687aabe4017f15e3260d"
"""What was loaded last; tests/house/test_migrations.py says what to do when a function changes."""


def upgrade() -> None:
    """Apply."""
    load_functions(*FUNCTION_ROOMS)


def downgrade() -> None:
    """Leave it: nobody older calls it, and the room's first migration drops all its functions."""
