"""shops: Add shops, their dated facts, contacts, branches and imports.

Why: a payment is judged by what held for the shop at that instant, so facts are added with the
instant they hold from and never changed (ADR 0014).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1110"
down_revision = "20261121_1100"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, primary_key=True)


def _of_shop() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "shop_id"], ["shop_shops.tenant_id", "shop_shops.id"]
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "shop_shops",
        _id("tenant_id"),
        _id("id"),
        _text("number"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("tenant_id", "number", name="shop_shops_number_key"),
    )
    # Nothing updates a shop; the right is what locking its row against a second writer needs.
    isolate("shop_shops", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "shop_facts",
        _id("tenant_id"),
        _id("shop_id"),
        sa.Column("starts_at", INSTANT, primary_key=True),
        _text("name"),
        _text("kana"),
        _text("area"),
        sa.Column("groups", ARRAY(sa.Text), nullable=False),
        sa.Column("accepting", sa.Boolean, nullable=False),
        _text("address"),
        _text("phone"),
        sa.Column("floor_area_m2", sa.Integer),
        _text("hq_prefecture"),
        sa.Column("recorded_at", INSTANT, nullable=False),
        _text("recorded_by"),
        _of_shop(),
    )
    isolate("shop_facts", app="SELECT, INSERT")
    _add_people_and_places()
    _add_imports()


def _add_people_and_places() -> None:
    op.create_table(
        "shop_contacts",
        _id("tenant_id"),
        _id("shop_id"),
        *(
            sa.Column(f"{part}_sealed", sa.LargeBinary, nullable=False)
            for part in ("name", "phone", "email")
        ),
        sa.Column("phone_index", sa.LargeBinary),
        sa.Column("email_index", sa.LargeBinary),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("delete_after", sa.Date),
        _of_shop(),
    )
    for part in ("phone", "email"):
        op.create_index(
            f"shop_contacts_{part}_idx", "shop_contacts", ["tenant_id", f"{part}_index"]
        )
    isolate("shop_contacts")
    op.create_table(
        "shop_branches",
        _id("tenant_id"),
        _id("id"),
        sa.Column("shop_id", sa.Uuid, nullable=False),
        _text("name"),
        _text("address"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT),
        _of_shop(),
    )
    op.create_index("shop_branches_shop_idx", "shop_branches", ["tenant_id", "shop_id"])
    isolate("shop_branches", app="SELECT, INSERT, UPDATE")


def _add_imports() -> None:
    counts = ("good", "bad", "fault", "enrolled", "changed", "unchanged")
    op.create_table(
        "shop_imports",
        _id("tenant_id"),
        _id("id"),
        _text("state"),
        sa.Column("is_partial", sa.Boolean, nullable=False),
        sa.Column("is_dry", sa.Boolean, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        *(sa.Column(f"{count}_count", sa.Integer, nullable=False) for count in counts),
        sa.Column("taken_line", sa.Integer, nullable=False),
        _text("ordered_by"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.CheckConstraint(
            "state IN ('ordered', 'checking', 'taking', 'done', 'refused')", name="state_known"
        ),
    )
    isolate("shop_imports", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "shop_import_errors",
        _id("tenant_id"),
        _id("import_id"),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("line", sa.Integer, nullable=False),
        _text("column"),
        _text("code"),
        sa.Column("params", JSONB, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"], ["shop_imports.tenant_id", "shop_imports.id"]
        ),
    )
    isolate("shop_import_errors", app="SELECT, INSERT, DELETE")


def downgrade() -> None:
    """Undo."""
    for table in (
        "shop_import_errors",
        "shop_imports",
        "shop_branches",
        "shop_contacts",
        "shop_facts",
        "shop_shops",
    ):
        op.drop_table(table)
