"""identity: Add what an OpenID provider keeps.

Why: people sign in to clients of their organisation, by browser and on devices (ADR 0026).
Phase: expand; clients that exist are machines.  Locks: identity_clients, identity_sessions and
identity_revocations, briefly.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from giftpad.kernel.migrate import isolate

revision = "20261122_1000"
down_revision = "20261122_0500"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = (
    "identity_apis",
    "identity_authorisations",
    "identity_codes",
    "identity_refresh_tokens",
    "identity_devices",
)
KIND_KNOWN = "identity_revocations_kind_known_check"


def upgrade() -> None:
    """Apply."""
    _widen_clients()
    op.add_column(
        "identity_sessions",
        sa.Column("amr", JSONB, nullable=False, server_default='["pwd"]'),
    )
    op.add_column("identity_sessions", sa.Column("proved_at", INSTANT))
    op.create_table(
        "identity_apis",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("audience", sa.Text, primary_key=True),
        sa.Column("home_tenant_id", sa.Uuid, nullable=False),
        sa.Column("token_profile", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("token_profile IN ('rfc9068', 'auth0')", name="profile_known"),
    )
    _add_authorisations()
    _add_codes()
    for table in TABLES:
        isolate(table)
    _know_kinds("'client', 'token', 'session', 'authorisation'")


def _widen_clients() -> None:
    text = ("kind", "machine"), ("audience", "")
    for name, default in text:
        op.add_column(
            "identity_clients", sa.Column(name, sa.Text, nullable=False, server_default=default)
        )
    for name in ("redirect_uris", "logout_uris", "origins"):
        op.add_column(
            "identity_clients", sa.Column(name, JSONB, nullable=False, server_default="[]")
        )
    op.add_column(
        "identity_clients", sa.Column("leeway_s", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column(
        "identity_clients",
        sa.Column("needs_challenge", sa.Boolean, nullable=False, server_default=sa.true()),
    )
    op.alter_column("identity_clients", "secret_hash", nullable=True)
    op.create_check_constraint(
        "kind_known", "identity_clients", "kind IN ('machine', 'web', 'spa', 'device')"
    )
    op.create_check_constraint(
        "secret_fits",
        "identity_clients",
        "(secret_hash IS NOT NULL) = (kind IN ('machine', 'web'))",
    )
    op.create_check_constraint("leeway_short", "identity_clients", "leeway_s BETWEEN 0 AND 60")


def _add_authorisations() -> None:
    op.create_table(
        "identity_authorisations",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("home_tenant_id", sa.Uuid, nullable=False),
        sa.Column("membership_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("amr", JSONB, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("proved_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
    )
    for column in ("person_id", "session_id"):
        op.create_index(
            f"identity_authorisations_tenant_id_{column}_idx",
            "identity_authorisations",
            ["tenant_id", column],
        )


def _add_codes() -> None:
    op.create_table(
        "identity_codes",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("authorisation_id", sa.Uuid, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("code_challenge", sa.Text, nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
    )
    op.create_table(
        "identity_refresh_tokens",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("authorisation_id", sa.Uuid, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("retired_at", INSTANT),
    )
    op.create_index(
        "identity_refresh_tokens_tenant_id_authorisation_id_idx",
        "identity_refresh_tokens",
        ["tenant_id", "authorisation_id"],
    )
    op.create_table(
        "identity_devices",
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("device_hash", sa.LargeBinary, primary_key=True),
        sa.Column("user_code_hash", sa.LargeBinary, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("interval_s", sa.BigInteger, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("polled_at", INSTANT),
        sa.Column("authorisation_id", sa.Uuid),
        sa.Column("denied_at", INSTANT),
        sa.Column("used_at", INSTANT),
        sa.UniqueConstraint("tenant_id", "user_code_hash"),
    )


def downgrade() -> None:
    """Undo: who keeps no secret is no client of the release before."""
    for table in ("identity_clients", "identity_revocations"):
        # Policies bind the owner too, and a migration is of no tenant.
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM identity_clients WHERE kind <> 'machine'")
    op.execute("DELETE FROM identity_revocations WHERE kind = 'authorisation'")
    for table in ("identity_clients", "identity_revocations"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    _know_kinds("'client', 'token', 'session'")
    for table in reversed(TABLES):
        op.drop_table(table)
    for column in ("amr", "proved_at"):
        op.drop_column("identity_sessions", column)
    for name in ("kind_known", "secret_fits", "leeway_short"):
        op.drop_constraint(op.f(f"identity_clients_{name}_check"), "identity_clients")
    for column in (
        "kind",
        "audience",
        "redirect_uris",
        "logout_uris",
        "origins",
        "leeway_s",
        "needs_challenge",
    ):
        op.drop_column("identity_clients", column)
    op.alter_column("identity_clients", "secret_hash", nullable=False)


def _know_kinds(kinds: str) -> None:
    op.drop_constraint(op.f(KIND_KNOWN), "identity_revocations")
    op.create_check_constraint(op.f(KIND_KNOWN), "identity_revocations", f"kind IN ({kinds})")
