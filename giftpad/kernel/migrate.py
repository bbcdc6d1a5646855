"""Migrations: bring a database to the newest schema, and the words migrations are written in.

Hides: Alembic's configuration, the lock that keeps two upgrades apart, the policy text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory

from giftpad.kernel.config import Settings
from giftpad.kernel.db import sqlalchemy_url

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_ROOMS = ("kernel", "ledger", "payments", "identity", "messaging")
"""The packages that have database functions, in the order in which they need each other."""
DEFINERS: Mapping[str, str] = {"ledger": "giftpad_ledger"}
"""Rooms whose functions run with their owner's rights, and only when the application calls."""
OWNER = "giftpad_owner"
_SHAPE = ", ".join(
    f"{{0}}.{column}"
    for column in (
        "proname",
        "prokind",
        "prorettype",
        "proretset",
        "pronargdefaults",
        "proargtypes",
        "proallargtypes",
        "proargmodes",
        "proargnames",
    )
)
_STRANGE = f"""
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
        AND (p.proname = ANY (:names) OR starts_with(p.proname, :prefix))
        AND (pg_get_userbyid(p.proowner) <> :owner OR NOT EXISTS (
            SELECT 1 FROM pg_proc t WHERE t.pronamespace = pg_my_temp_schema()
            AND ROW({_SHAPE.format("t")}) IS NOT DISTINCT FROM ROW({_SHAPE.format("p")})))
"""  # noqa: S608 - made of names in this file
_OURS = """
    SELECT p.oid::regprocedure::text, array_remove(array_agg(DISTINCT right_.grantee::regrole::text
        ) FILTER (WHERE right_.grantee <> 0), :owner)
    FROM pg_proc p LEFT JOIN aclexplode(p.proacl) right_ ON true
    WHERE p.pronamespace = 'public'::regnamespace AND p.proname = ANY (:names) GROUP BY p.oid
"""
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


def function_files(package: str) -> dict[str, str]:
    """Return the text of each database function of a room, by name."""
    files = sorted((ROOT / "giftpad" / package / "sql").glob("*.sql"))
    return {path.stem: path.read_text(encoding="utf-8") for path in files if path.stem != "roles"}


def functions_hash() -> str:
    """Return the SHA-256 of all database functions, which the migration that loads them names."""
    found = hashlib.sha256()
    for package in FUNCTION_ROOMS:
        for name, text in function_files(package).items():
            found.update(f"{package}/{name}\n{text}\n".encode())
    return found.hexdigest()


def load_functions(*packages: str) -> None:
    """Make the functions of these rooms what their files say, with owner and rights.

    For a migration, whatever the database had: what no file names, and what has another shape or
    owner, is dropped; the others are replaced in place, so a payment under way always finds one.
    """
    for package in packages:
        names = list(function_files(package))
        owner = DEFINERS.get(package, OWNER)
        for strange in _find_strange(package, names, owner):
            op.execute(f"DROP FUNCTION {strange}")
        _run_files(package)
        if owner != OWNER:  # needed to be given a function, and for nothing afterwards
            op.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
        found = sa.text(_OURS).bindparams(names=names, owner=owner)
        for function, grantees in op.get_bind().execute(found).all():
            op.execute(f"ALTER FUNCTION {function} OWNER TO {owner}")
            # The rights of what was given away are its new owner's to change.
            op.execute(f"SET LOCAL ROLE {owner}")
            op.execute(
                f"REVOKE ALL ON FUNCTION {function} FROM {', '.join(['PUBLIC', *(grantees or [])])}"
            )
            may = "giftpad_app" if package in DEFINERS else "PUBLIC"
            op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {may}")
            op.execute(f"SET LOCAL ROLE {OWNER}")
        if owner != OWNER:
            op.execute(f"REVOKE CREATE ON SCHEMA public FROM {owner}")


def drop_functions(package: str) -> None:
    """Drop the functions of a room, for the way down of the migration that brought them."""
    for name in reversed(function_files(package)):
        op.execute(f"DROP FUNCTION {name}")


def _find_strange(package: str, names: list[str], owner: str) -> list[str]:
    """Return what must go: the shapes of today are read off a copy in the temporary schema."""
    session = op.get_bind()
    path = session.scalar(sa.text("SELECT current_setting('search_path')"))
    op.execute("SET LOCAL search_path = pg_temp, public")
    _run_files(package)
    values = {"names": names, "prefix": f"{package}_", "owner": owner}
    strange = list(session.scalars(sa.text(_STRANGE), values))
    op.execute("DISCARD TEMP")
    session.execute(sa.text("SELECT set_config('search_path', :path, true)"), {"path": path})
    return strange


def _run_files(package: str) -> None:
    for text in function_files(package).values():
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
