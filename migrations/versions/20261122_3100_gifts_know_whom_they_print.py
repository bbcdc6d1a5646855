"""gifts: A file of cards knows whose they are.

Why: a file was a window on all cards of its order, counted anew at each look.  One card that went
another way moved everybody behind it into another file, and no file could be taken out any more.
Phase: contract, with nothing running.  Locks: gift_prints, for as long as it takes to fill it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "20261122_3100"
down_revision = "20261122_3000"
branch_labels = None
depends_on = None

_FILL = """
    WITH windows AS (
        SELECT g.tenant_id, g.order_id, g.channel, g.id, g.number,
            row_number() OVER (PARTITION BY g.tenant_id, g.order_id, g.channel ORDER BY g.number)
                - 1 AS place
        FROM gifts g WHERE g.channel IN ('card', 'letter')
    )
    UPDATE gift_prints p SET numbers = COALESCE((
        SELECT array_agg(w.number ORDER BY w.number) FROM windows w
        WHERE w.tenant_id = p.tenant_id AND w.order_id = p.order_id AND CASE
            WHEN p.gift_id IS NOT NULL THEN w.id = p.gift_id
            ELSE w.channel = p.kind AND w.place BETWEEN p.place AND p.place + p.quantity - 1 END
    ), '{}')
"""
_UNFILL = """
    UPDATE gift_prints p SET quantity = cardinality(p.numbers), place = (
        SELECT count(*) FROM gifts g
        WHERE g.tenant_id = p.tenant_id AND g.order_id = p.order_id AND g.channel = p.kind
            AND p.gift_id IS NULL AND g.number < p.numbers[1])
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("gift_prints", sa.Column("numbers", ARRAY(sa.BigInteger)))
    op.execute(_FILL)
    op.alter_column("gift_prints", "numbers", nullable=False)
    op.drop_column("gift_prints", "place")
    op.drop_column("gift_prints", "quantity")


def downgrade() -> None:
    """Undo."""
    for name in ("place", "quantity"):
        op.add_column("gift_prints", sa.Column(name, sa.BigInteger))
    op.execute(_UNFILL)
    for name in ("place", "quantity"):
        op.alter_column("gift_prints", name, nullable=False)
    op.drop_column("gift_prints", "numbers")
