"""One history, equal to the models; rights and policies as the rules of the house ask."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from giftpad.kernel.migrate import ROOT, configuration, upgrade
from tests.house import catalogue

DEADLINE_S = 60
UPGRADE_LOCK = 7_410_221
"""As in migrations/env.py, which only Alembic can load."""


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


def test_migrations_go_down_and_up_again_from_wherever_the_database_is(fresh_settings):
    config = configuration(fresh_settings.database_owner_url)

    def version():
        with psycopg.connect(fresh_settings.database_owner_url) as connection:
            connection.execute("SET ROLE giftpad_owner")
            return connection.execute("SELECT version_num FROM alembic_version").fetchall()

    newest = version()
    for behind in ("-1", "base"):
        command.downgrade(config, behind)
        assert version() != newest
        upgrade(fresh_settings)
        assert version() == newest
    upgrade(fresh_settings)  # nothing is left to do
    command.check(config)


def test_an_upgrade_waits_for_another_longer_than_for_a_table(fresh_settings):
    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
    owner = fresh_settings.database_owner_url
    with ThreadPoolExecutor(1) as pool, psycopg.connect(owner, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [UPGRADE_LOCK])
        second = pool.submit(upgrade, fresh_settings, "heads")
        deadline = time.monotonic() + DEADLINE_S
        while other.execute(waiting, [UPGRADE_LOCK]).fetchone() is None:
            assert time.monotonic() < deadline
        other.execute("SELECT pg_sleep(4.5)")  # longer than an upgrade waits for a table
        assert not second.done()
        other.execute("SELECT pg_advisory_unlock(%s)", [UPGRADE_LOCK])
        assert second.result() is None


@pytest.mark.parametrize("rule", catalogue.RULES.values(), ids=list(catalogue.RULES))
def test_the_catalogue_keeps_the_rules_and_a_table_that_does_not_is_seen(superuser, rule):
    assert rule.find(superuser) == []
    with superuser.transaction(force_rollback=True):
        catalogue.break_rule(superuser, rule)
        assert rule.find(superuser) == [rule.seen]


def test_nobody_bypasses_row_security(superuser):
    rows = superuser.execute(
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'giftpad%'"
        " AND (rolbypassrls OR rolsuper OR rolcreaterole OR rolcreatedb)"
    )
    assert rows.fetchall() == []


def test_functions_are_as_their_files_say(superuser):
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
