"""gifts: Hold a balance that buys several things, or is kept and spent in shops.

Why: a gift may be an amount instead of a course.  What became of each part of it stands in its
row, so that the database itself refuses to give a yen away twice; what is kept is a coupon that
was never printed, of a programme that takes gifts.
Phase: expand.  Locks: the tables of gifts, their orders, claims, coupon batches and programmes,
for as long as columns with constant defaults take; the rows of gifts and claims are written once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from giftpad.kernel.migrate import isolate

revision = "20261122_2400"
down_revision = "20261122_2300"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
PARTS = ("claimed_minor", "cancelled_minor", "expired_minor")
OPEN_CLAIM = sa.text("state <> 'withdrawn'")


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "programme_programmes",
        sa.Column("gifts", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    op.add_column(
        "coupon_batches",
        sa.Column("is_paperless", sa.Boolean, nullable=False, server_default=sa.text("false")),
    )
    for column in (
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("programme_id", sa.Uuid),
        sa.Column("balance_until", sa.Date),
    ):
        op.add_column("gift_orders", column)
    op.create_check_constraint(
        op.f("gift_orders_kind_known_check"), "gift_orders", "kind IN ('course', 'balance')"
    )
    _add_parts()
    _add_positions()
    _add_balances()


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))


def _add_parts() -> None:
    for name in PARTS:
        op.add_column("gifts", _number(name))
    for state in ("claimed", "cancelled", "expired"):
        _for_all_tenants(
            "gifts",
            f"UPDATE gifts SET {state}_minor = value_minor WHERE state = '{state}'",  # noqa: S608
        )
    op.create_check_constraint(
        op.f("gifts_parts_within_check"),
        "gifts",
        "claimed_minor >= 0 AND cancelled_minor >= 0 AND expired_minor >= 0"
        " AND claimed_minor + cancelled_minor + expired_minor <= value_minor",
    )
    op.create_check_constraint(
        op.f("gifts_whole_when_ended_check"),
        "gifts",
        "state = 'outstanding' OR claimed_minor + cancelled_minor + expired_minor = value_minor",
    )


def _for_all_tenants(table: str, statement: str) -> None:
    """Write rows of every tenant: nobody else is at the table while its owner sees all of it."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _add_positions() -> None:
    op.add_column("gift_claims", _number("position"))
    op.add_column("gift_claims", _number("value_minor"))
    op.execute("ALTER TABLE gifts NO FORCE ROW LEVEL SECURITY")
    _for_all_tenants(
        "gift_claims",
        "UPDATE gift_claims c SET value_minor = g.value_minor FROM gifts g"
        " WHERE g.tenant_id = c.tenant_id AND g.id = c.gift_id",
    )
    op.execute("ALTER TABLE gifts FORCE ROW LEVEL SECURITY")
    op.drop_index("gift_claims_gift_key", "gift_claims")
    op.create_index(
        "gift_claims_gift_key",
        "gift_claims",
        ["tenant_id", "gift_id", "position"],
        unique=True,
        postgresql_where=OPEN_CLAIM,
    )


def _add_balances() -> None:
    op.create_table(
        "gift_balances",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("gift_id", sa.Uuid, nullable=False),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("programme_id", sa.Uuid, nullable=False),
        sa.Column("locator", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        _number("spent_minor"),
        sa.Column("used_at", INSTANT),
        sa.Column("kept_at", INSTANT, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        sa.UniqueConstraint("tenant_id", "gift_id", "key"),
        sa.UniqueConstraint("tenant_id", "account_id"),
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.CheckConstraint("amount_minor > 0", name=op.f("gift_balances_amount_positive_check")),
    )
    op.create_index("gift_balances_order_idx", "gift_balances", ["tenant_id", "order_id"])
    isolate("gift_balances")


def downgrade() -> None:
    """Undo."""
    op.drop_table("gift_balances")
    op.drop_index("gift_claims_gift_key", "gift_claims")
    op.create_index(
        "gift_claims_gift_key",
        "gift_claims",
        ["tenant_id", "gift_id"],
        unique=True,
        postgresql_where=OPEN_CLAIM,
    )
    for name in ("value_minor", "position"):
        op.drop_column("gift_claims", name)
    op.drop_constraint(op.f("gifts_whole_when_ended_check"), "gifts")
    op.drop_constraint(op.f("gifts_parts_within_check"), "gifts")
    for name in PARTS:
        op.drop_column("gifts", name)
    op.drop_constraint(op.f("gift_orders_kind_known_check"), "gift_orders")
    for name in ("balance_until", "programme_id", "amount_minor"):
        op.drop_column("gift_orders", name)
    op.drop_column("coupon_batches", "is_paperless")
    op.drop_column("programme_programmes", "gifts")
