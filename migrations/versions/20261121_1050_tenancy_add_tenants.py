"""tenancy: Add tenants, their ring keys and the printed addresses; open the platform tenant.

Why: every other table leads with a tenant, and every code and sealed value needs a tenant's key
(ADR 0004, ADR 0005).
Phase: expand.  Locks: none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261121_1050"
down_revision = "20261121_1040"
branch_labels = None
depends_on = None

PLATFORM = """
    INSERT INTO tenants (id, slug, tag, org_id, name, kind, zone, locale, features, contact,
        pack_hash, created_at)
    VALUES ('00000000-0000-7000-8000-000000000001', 'platform', 0, 'org_platform',
        '{"ja": "Giftpad", "en": "Giftpad"}', 'platform', 'Asia/Tokyo', 'ja', '[]', '{}', '', now())
"""


def upgrade() -> None:
    """Apply."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("tag", sa.Integer, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("features", JSONB, nullable=False),
        sa.Column("contact", JSONB, nullable=False),
        sa.Column("pack_hash", sa.Text, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("suspended_at", instant),
        sa.CheckConstraint("tag BETWEEN 0 AND 1048575", name="tag_has_20_bits"),
        sa.CheckConstraint("kind IN ('platform', 'municipal', 'corporate')", name="kind_known"),
        sa.UniqueConstraint("slug"),
        sa.UniqueConstraint("tag"),
        sa.UniqueConstraint("org_id"),
    )
    op.execute("REVOKE ALL ON tenants FROM PUBLIC")
    op.execute("GRANT SELECT, INSERT, UPDATE ON tenants TO giftpad_app")
    op.execute("GRANT SELECT (id) ON tenants TO giftpad_relay")
    op.execute(PLATFORM)
    op.create_table(
        "tenancy_ring_keys",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("kid", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("retired_at", instant),
        sa.CheckConstraint("kid BETWEEN 0 AND 31", name="kid_is_one_symbol"),
    )
    isolate("tenancy_ring_keys", app="SELECT, INSERT, UPDATE")
    op.create_table(
        "tenancy_printed_addresses",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("address", sa.Text, primary_key=True),
        sa.Column("created_at", instant, nullable=False),
    )
    isolate("tenancy_printed_addresses", app="SELECT, INSERT")


def downgrade() -> None:
    """Undo."""
    op.drop_table("tenancy_printed_addresses")
    op.drop_table("tenancy_ring_keys")
    op.drop_table("tenants")
