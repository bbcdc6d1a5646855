"""kernel: Give every database the functions and rights that a new one has.

Why: 1010 and 1120 were changed after they had run somewhere, so a database that was there before
kept the functions that read a caller's table, lacked those that take arrays, and let the
application change more columns of payments than it may.
Phase: expand; functions of one shape are replaced in place.  Locks: brief, no table rewrite.
"""

from __future__ import annotations

from alembic import op

from giftpad.kernel.migrate import FUNCTION_ROOMS, load_functions

revision = "20261121_1230"
down_revision = "20261121_1220"
branch_labels = None
depends_on = None

FUNCTIONS = "78aa3e8e185b391702bea7f49c8158cb128a4dc0fe7f74ad420a1a876305aca8"
"""What was loaded last; tests/house/test_migrations.py says what to do when a function changes."""

CHANGEABLE = {
    "payment_rules": "unit, ceiling_minor, groups, areas",
    "payment_terms": "released_at",
    "payment_instruments": "state",
    "payment_locators": "next_locator",
    "payment_payments": "refunded_minor, voided_at",
    "payment_reversals": "",
    "payment_history": "",
}


def upgrade() -> None:
    """Apply."""
    load_functions(*FUNCTION_ROOMS)
    for table, columns in CHANGEABLE.items():
        op.execute(f"REVOKE ALL ON {table} FROM giftpad_app")
        changeable = f", UPDATE ({columns})" if columns else ""
        op.execute(f"GRANT SELECT, INSERT{changeable} ON {table} TO giftpad_app")


def downgrade() -> None:
    """Undo: nothing, for the migrations before give a new database the same."""
