"""Migrations: bring a database to the newest schema, and the words migrations are written in.

Hides: Alembic's configuration, the lock that keeps two upgrades apart, the policy text.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory

from giftpad.kernel.config import Settings
from giftpad.kernel.db import sqlalchemy_url

ROOT = Path(__file__).resolve().parents[2]
TENANT_POLICY = "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"


def configuration(owner_url: str) -> Config:
    """Return Alembic's configuration for the database at ``owner_url``."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    config.attributes["url"] = sqlalchemy_url(owner_url)
    return config


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the database to ``revision``; two at once wait for each other."""
    assert settings.database_owner_url
    config = configuration(settings.database_owner_url)
    if revision == "head" and _is_newest(config, settings.database_owner_url):
        return  # and no model was loaded for it: most starts end here
    command.upgrade(config, revision)


def _is_newest(config: Config, owner_url: str) -> bool:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SET ROLE giftpad_owner")
        is_begun = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
        if is_begun == (None,):
            return False
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return found == [(ScriptDirectory.from_config(config).get_current_head(),)]


def run_sql_file(package: str, name: str) -> None:
    """Load one database function from ``giftpad/<package>/sql/<name>.sql``, inside a migration."""
    text = (ROOT / "giftpad" / package / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    op.execute(sa.text(text.replace(":", "\\:")))


def isolate(table: str, *, app: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    """Close a table to all tenants but the one of the transaction; ``app`` is what may be done."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant_only ON {table} USING ({TENANT_POLICY}) WITH CHECK ({TENANT_POLICY})"
    )
    op.execute(f"REVOKE ALL ON {table} FROM PUBLIC")
    op.execute(f"GRANT {app} ON {table} TO giftpad_app")
