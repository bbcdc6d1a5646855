"""One history, equal to the models; rights and policies as the rules of the house ask."""

from __future__ import annotations

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from giftpad.kernel.migrate import ROOT, configuration

TENANTLESS = {"tenants", "alembic_version"}
"""Tables that belong to no tenant: the directory of tenants itself, and Alembic's own."""

TENANT_LED_KEYS = """
SELECT c.relname, i.relname, a.attname
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
WHERE a.attname IS DISTINCT FROM 'tenant_id'
"""

ISOLATION = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,
    (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles = '{0}'
        AND pg_get_expr(p.polqual, p.polrelid) LIKE '%app.tenant_id%'),
    pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
WHERE c.relkind IN ('r', 'p')
"""


@pytest.fixture
def superuser(superuser_url):
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection


def test_there_is_one_head_and_one_line(settings):
    script = ScriptDirectory.from_config(configuration(settings.database_owner_url))
    assert len(script.get_heads()) == 1
    revisions = list(script.walk_revisions())
    assert all(isinstance(each.down_revision, str | None) for each in revisions)
    assert all(each.path.rpartition("/")[2].startswith(each.revision) for each in revisions)


def test_the_models_say_what_the_database_has(settings):
    command.check(configuration(settings.database_owner_url))


def test_migrations_go_down_and_up_again(fresh_settings):
    config = configuration(fresh_settings.database_owner_url)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)


def test_every_key_and_index_is_led_by_the_tenant(superuser):
    strangers = [row for row in superuser.execute(TENANT_LED_KEYS) if row[0] not in TENANTLESS]
    assert strangers == []


def test_every_table_is_closed_to_other_tenants_even_for_its_owner(superuser):
    for table, forced, policies, owner in superuser.execute(ISOLATION):
        assert owner == "giftpad_owner", table
        if table not in TENANTLESS:
            assert forced, table
            assert policies == 1, table


def test_nobody_bypasses_row_security(superuser):
    rows = superuser.execute(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'giftpad%'"
        " AND (rolbypassrls OR rolsuper OR rolcreaterole OR rolcreatedb)"
    )
    assert rows.fetchall() == []


def test_foreign_keys_stay_inside_the_tenant_and_off_the_payment_path(superuser):
    rows = superuser.execute(
        "SELECT c.conrelid::regclass::text, pg_get_constraintdef(c.oid) FROM pg_constraint c"
        " WHERE c.contype = 'f'"
    ).fetchall()
    hot = ("ledger_", "payment_", "event_", "guard_")
    for table, definition in rows:
        assert not table.startswith(hot), definition
        inside = "FOREIGN KEY (tenant_id" in definition
        assert inside or "REFERENCES tenants(id)" in definition, definition


def test_no_triggers_no_sequences_and_functions_as_their_files_say(superuser):
    triggers = superuser.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
    assert triggers.fetchall() == []
    sequences = superuser.execute("SELECT relname FROM pg_class WHERE relkind = 'S'")
    assert sequences.fetchall() == []
    kept = dict(
        superuser.execute(
            "SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n"
            " ON n.oid = p.pronamespace AND n.nspname = 'public'"
        ).fetchall()
    )
    files = {path.stem: path for path in (ROOT / "giftpad").glob("*/sql/*.sql")}
    files.pop("roles")
    assert set(kept) == set(files)
    for name, path in files.items():
        text = path.read_text(encoding="utf-8")
        assert kept[name] in text, f"{path} and the database differ"
        assert "uuidv7" not in text.lower()
        assert "listen" not in text.lower().split()


def test_every_hot_function_takes_the_tenant_first(superuser):
    rows = superuser.execute(
        "SELECT p.proname, p.proargnames[1] FROM pg_proc p JOIN pg_namespace n"
        " ON n.oid = p.pronamespace AND n.nspname = 'public' WHERE p.pronargs > 0"
    )
    assert [name for name, first in rows if first != "p_tenant"] == []
