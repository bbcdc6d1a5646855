"""catalog: Add products, courses, what was taken of them, codes, pictures and imports.

Why: a gift is chosen from a catalogue; the last piece of a stock must go to one person only.
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_1600"
down_revision = "20261122_1500"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
COUNTS = ("good", "fault", "picture", "added", "changed", "unchanged", "taken")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _key(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, primary_key=True)


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, INSTANT, nullable=False)


def _points_to(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"catalog_{table}.tenant_id", f"catalog_{table}.id"]
    )


def upgrade() -> None:
    """Apply."""
    _add_products()
    _add_courses()
    _add_takings()
    _add_imports()


def _add_products() -> None:
    op.create_table(
        "catalog_products",
        _key("tenant_id"),
        _key("id"),
        _text("code"),
        _text("kind"),
        sa.Column("names", JSONB, nullable=False),
        sa.Column("descriptions", JSONB, nullable=False),
        _text("category"),
        sa.Column("category_names", JSONB, nullable=False),
        _text("supplier"),
        sa.Column("allergens", ARRAY(sa.Text), nullable=False),
        _number("age_min"),
        _number("lead_days"),
        _number("price_minor"),
        _text("unit"),
        sa.Column("excluded_prefectures", ARRAY(sa.Text), nullable=False),
        _text("state"),
        _text("search_text"),
        sa.Column("picture_ids", ARRAY(sa.Uuid), nullable=False),
        _instant("created_at"),
        _instant("changed_at"),
        sa.UniqueConstraint("tenant_id", "code", name="catalog_products_code_key"),
        sa.CheckConstraint("kind IN ('goods', 'digital', 'donation')", name="kind_known"),
        sa.CheckConstraint("state IN ('active', 'hidden')", name="state_known"),
        sa.CheckConstraint("price_minor >= 0", name="price_not_negative"),
        sa.CheckConstraint("age_min >= 0", name="age_not_negative"),
        sa.CheckConstraint("lead_days >= 0", name="lead_not_negative"),
    )
    isolate("catalog_products", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "catalog_variants",
        _key("tenant_id"),
        _key("id"),
        _id("product_id"),
        _text("code"),
        sa.Column("names", JSONB, nullable=False),
        _number("position"),
        sa.Column("stock", sa.BigInteger),
        sa.Column("daily_limit", sa.BigInteger),
        sa.UniqueConstraint("tenant_id", "code", name="catalog_variants_code_key"),
        _points_to("products", "product_id"),
        sa.CheckConstraint("stock >= 0", name="stock_not_negative"),
        sa.CheckConstraint("daily_limit >= 0", name="limit_not_negative"),
    )
    op.create_index("catalog_variants_product_idx", "catalog_variants", ["tenant_id", "product_id"])
    isolate("catalog_variants", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "catalog_pictures",
        _key("tenant_id"),
        _key("id"),
        _instant("added_at"),
    )
    isolate("catalog_pictures")


def _add_courses() -> None:
    op.create_table(
        "catalog_courses",
        _key("tenant_id"),
        _key("id"),
        _text("code"),
        sa.Column("names", JSONB, nullable=False),
        _number("price_minor"),
        _text("unit"),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("ends_on", sa.Date, nullable=False),
        _instant("created_at"),
        _instant("changed_at"),
        sa.UniqueConstraint("tenant_id", "code", name="catalog_courses_code_key"),
        sa.CheckConstraint("price_minor > 0", name="price_positive"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_later"),
    )
    isolate("catalog_courses", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "catalog_course_products",
        _key("tenant_id"),
        _key("course_id"),
        _key("product_id"),
        _number("position"),
        _points_to("courses", "course_id"),
        _points_to("products", "product_id"),
    )
    op.create_index(
        "catalog_course_products_product_idx",
        "catalog_course_products",
        ["tenant_id", "product_id"],
    )
    isolate("catalog_course_products")


def _add_takings() -> None:
    op.create_table(
        "catalog_daily_counts",
        _key("tenant_id"),
        _key("variant_id"),
        sa.Column("day", sa.Date, primary_key=True),
        _number("taken_count"),
        _points_to("variants", "variant_id"),
        sa.CheckConstraint("taken_count >= 0", name="taken_not_negative"),
    )
    isolate("catalog_daily_counts")
    op.create_table(
        "catalog_takings",
        _key("tenant_id"),
        _key("for_id"),
        _id("course_id"),
        _id("variant_id"),
        sa.Column("is_counted", sa.Boolean, nullable=False),
        sa.Column("day", sa.Date),
        _instant("taken_at"),
        sa.Column("given_back_at", INSTANT),
        _points_to("variants", "variant_id"),
    )
    op.create_index("catalog_takings_variant_idx", "catalog_takings", ["tenant_id", "variant_id"])
    isolate("catalog_takings", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "catalog_digital_codes",
        _key("tenant_id"),
        _key("id"),
        _id("variant_id"),
        sa.Column("code_sealed", sa.LargeBinary, nullable=False),
        sa.Column("code_index", sa.LargeBinary, nullable=False),
        _instant("added_at"),
        sa.Column("taken_for", sa.Uuid),
        sa.Column("shown_at", INSTANT),
        sa.Column("given_back_at", INSTANT),
        _points_to("variants", "variant_id"),
        sa.UniqueConstraint("tenant_id", "code_index", name="catalog_digital_codes_code_index_key"),
    )
    table = "catalog_digital_codes"
    op.create_index(
        f"{table}_taken_for_key",
        table,
        ["tenant_id", "taken_for"],
        unique=True,
        postgresql_where=sa.text("given_back_at IS NULL"),
    )
    op.create_index(
        f"{table}_free_idx",
        table,
        ["tenant_id", "variant_id", "id"],
        postgresql_where=sa.text("taken_for IS NULL"),
    )
    isolate(table, app="SELECT, INSERT, UPDATE")


def _add_imports() -> None:
    op.create_table(
        "catalog_imports",
        _key("tenant_id"),
        _key("id"),
        _text("state"),
        _text("file_name"),
        _number("size"),
        *(_number(f"{count}_count") for count in COUNTS),
        _text("ordered_by"),
        _instant("created_at"),
        sa.Column("finished_at", INSTANT),
        sa.CheckConstraint(
            "state IN ('ordered', 'checked', 'taking', 'done', 'refused')", name="state_known"
        ),
    )
    isolate("catalog_imports")
    op.create_table(
        "catalog_import_faults",
        _key("tenant_id"),
        _key("import_id"),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        _number("line"),
        _text("column"),
        _text("code"),
        sa.Column("params", JSONB, nullable=False),
        _points_to("imports", "import_id"),
    )
    isolate("catalog_import_faults", app="SELECT, INSERT, DELETE")


def downgrade() -> None:
    """Undo."""
    for table in (
        "import_faults",
        "imports",
        "digital_codes",
        "takings",
        "daily_counts",
        "course_products",
        "courses",
        "pictures",
        "variants",
        "products",
    ):
        op.drop_table(f"catalog_{table}")
