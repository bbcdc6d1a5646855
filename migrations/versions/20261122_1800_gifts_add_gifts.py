"""gifts: Add contracts, orders, gifts, claims and thanks.

Why: a tenant orders gifts for many people at once; each is an account of its own until somebody
chooses with it, and every table but the counters is written once a step of that way.
Phase: expand.  Locks: none.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_1800"
down_revision = "20261122_1700"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "gift_contracts",
    "gift_deposits",
    "gift_orders",
    "gift_lines",
    "gifts",
    "gift_claims",
    "gift_thanks",
    "gift_prints",
)


def upgrade() -> None:
    """Apply."""
    _add_contracts()
    _add_deposits()
    _add_orders()
    _add_lines()
    _add_gifts()
    _add_claims()
    _add_thanks()
    _add_prints()


def _add_contracts() -> None:
    op.create_table(
        "gift_contracts",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("terms", JSONB, nullable=False),
        sa.Column("credit_minor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("next_number", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    isolate("gift_contracts")


def _add_deposits() -> None:
    op.create_table(
        "gift_deposits",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.UniqueConstraint("tenant_id", "reference"),
        sa.CheckConstraint("amount_minor > 0", name=op.f("gift_deposits_amount_positive_check")),
    )
    isolate("gift_deposits")


def _columns_of_orders() -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'draft'")),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("design", sa.Text, nullable=False),
        sa.Column("sender_name", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, server_default=sa.text("'course'")),
        sa.Column("course_id", sa.Uuid),
        sa.Column("send_at", INSTANT),
        sa.Column("claim_by", sa.Date),
        sa.Column("repeats_meant", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("value_minor", sa.BigInteger),
        sa.Column("fees_minor", sa.BigInteger),
        sa.Column("unclaimed", sa.Text),
        sa.Column("quantity", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("issued_to", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("locator_first", sa.BigInteger),
        sa.Column("kid", sa.SmallInteger),
        sa.Column("run_id", sa.Uuid),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("submitted_by", sa.Text),
        sa.Column("submitted_at", INSTANT),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", INSTANT),
        sa.Column("refusal", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("starts_at", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("closed_at", INSTANT),
    ]


def _add_orders() -> None:
    op.create_table(
        "gift_orders",
        *_columns_of_orders(),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.CheckConstraint(
            "issued_to BETWEEN 0 AND quantity", name=op.f("gift_orders_issued_bounded_check")
        ),
        sa.CheckConstraint(
            "channel IN ('mail', 'sms', 'link', 'card')",
            name=op.f("gift_orders_channel_known_check"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'issuing', 'sent', 'closed')",
            name=op.f("gift_orders_state_known_check"),
        ),
        sa.CheckConstraint(
            "(state = 'draft') = (submitted_at IS NULL)",
            name=op.f("gift_orders_submitted_unless_draft_check"),
        ),
    )
    op.create_index(
        "gift_orders_open_idx",
        "gift_orders",
        ["tenant_id", "state"],
        postgresql_where=sa.text("state <> 'closed'"),
    )
    isolate("gift_orders")


def _add_lines() -> None:
    op.create_table(
        "gift_lines",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("address_index", sa.LargeBinary),
        sa.Column("cells_sealed", sa.LargeBinary, nullable=False),
        sa.Column("person_sealed", sa.LargeBinary, nullable=False),
        sa.Column("faults", JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.UniqueConstraint("tenant_id", "order_id", "number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint(
            "channel IN ('mail', 'sms', 'link', 'card')",
            name=op.f("gift_lines_channel_known_check"),
        ),
    )
    op.create_index(
        "gift_lines_address_idx", "gift_lines", ["tenant_id", "order_id", "address_index"]
    )
    op.create_index(
        "gift_lines_external_idx", "gift_lines", ["tenant_id", "order_id", "external_id"]
    )
    isolate("gift_lines")


def _columns_of_gifts() -> list[sa.Column[Any]]:
    return [
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("locator", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Uuid, nullable=False),
        sa.Column("value_minor", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("person_sealed", sa.LargeBinary, nullable=False),
        sa.Column("delivery", sa.Text, nullable=False),
        sa.Column("message_id", sa.Uuid),
        sa.Column("resent", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("queued_at", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("delivered_at", INSTANT),
        sa.Column("opened_at", INSTANT),
        sa.Column("reminded_at", INSTANT),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("delete_after", INSTANT, nullable=False),
    ]


def _add_gifts() -> None:
    op.create_table(
        "gifts",
        *_columns_of_gifts(),
        sa.CheckConstraint(
            "state IN ('outstanding', 'claimed', 'cancelled', 'expired')",
            name=op.f("gifts_state_known_check"),
        ),
        sa.CheckConstraint(
            "delivery IN ('none', 'queued', 'sent', 'delivered', 'bounced', 'failed', 'unknown')",
            name=op.f("gifts_delivery_known_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
        sa.CheckConstraint(
            "channel IN ('mail', 'sms', 'link', 'card')", name=op.f("gifts_channel_known_check")
        ),
        sa.CheckConstraint(
            "(state = 'outstanding') = (ended_at IS NULL)",
            name=op.f("gifts_ended_unless_outstanding_check"),
        ),
        sa.UniqueConstraint("tenant_id", "order_id", "number"),
        sa.UniqueConstraint("tenant_id", "account_id"),
        sa.UniqueConstraint("tenant_id", "locator"),
    )
    op.create_index(
        "gifts_ends_at_idx",
        "gifts",
        ["tenant_id", "ends_at"],
        postgresql_where=sa.text("state = 'outstanding'"),
    )
    op.create_index(
        "gifts_external_key",
        "gifts",
        ["tenant_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id <> ''"),
    )
    isolate("gifts")


def _add_claims() -> None:
    op.create_table(
        "gift_claims",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("gift_id", sa.Uuid, nullable=False),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("product_id", sa.Uuid, nullable=False),
        sa.Column("variant_id", sa.Uuid, nullable=False),
        sa.Column("product", JSONB, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("supplier", sa.Text, nullable=False),
        sa.Column("address_sealed", sa.LargeBinary, nullable=False),
        sa.Column("time_slot", sa.Text, nullable=False),
        sa.Column("expected_on", sa.Date),
        sa.Column("carrier", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("tracking", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("claimed_at", INSTANT, nullable=False),
        sa.Column("listed_at", INSTANT),
        sa.Column("shipped_at", INSTANT),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
        sa.CheckConstraint(
            "state IN ('received', 'preparing', 'shipped', 'arrived', 'returned', 'withdrawn')",
            name=op.f("gift_claims_state_known_check"),
        ),
        sa.CheckConstraint(
            "time_slot IN ('any', 'morning', 'afternoon', 'evening')",
            name=op.f("gift_claims_time_slot_known_check"),
        ),
    )
    op.create_index(
        "gift_claims_gift_key",
        "gift_claims",
        ["tenant_id", "gift_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_index(
        "gift_claims_supplier_idx",
        "gift_claims",
        ["tenant_id", "supplier", "state"],
        postgresql_where=sa.text("state IN ('received', 'preparing', 'returned')"),
    )
    isolate("gift_claims")


def _add_thanks() -> None:
    op.create_table(
        "gift_thanks",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("gift_id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("words_sealed", sa.LargeBinary, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("delete_after", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id", "gift_id"], ["gifts.tenant_id", "gifts.id"]),
    )
    op.create_index("gift_thanks_order_idx", "gift_thanks", ["tenant_id", "order_id", "at"])
    isolate("gift_thanks")


def _add_prints() -> None:
    op.create_table(
        "gift_prints",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("claimed_until", INSTANT),
        sa.Column("file_id", sa.Uuid),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("sha256", sa.Text),
        sa.Column("page_count", sa.BigInteger),
        sa.Column("problems", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("ready_at", INSTANT),
        sa.UniqueConstraint("tenant_id", "order_id", "number"),
        sa.CheckConstraint(
            "state IN ('due', 'printing', 'ready', 'failed', 'gone')",
            name=op.f("gift_prints_state_known_check"),
        ),
        sa.CheckConstraint(
            "(state = 'ready') = (sha256 IS NOT NULL)",
            name=op.f("gift_prints_ready_is_checked_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"], ["gift_orders.tenant_id", "gift_orders.id"]
        ),
    )
    isolate("gift_prints")


def downgrade() -> None:
    """Undo."""
    for table in reversed(TABLES):
        op.drop_table(table)
