"""A migration that was shipped is never edited, and every database ends with the same rights."""

from __future__ import annotations

import hashlib
import re

import psycopg
import pytest
from alembic import command

from giftpad.kernel.migrate import ROOT, configuration, functions_hash, upgrade

VERSIONS = ROOT / "migrations" / "versions"
SHIPPED = {
    "20261121_1000_kernel_add_clock.py": (
        "072a78321ac34fc6484b7149165f2b099fe355160571d935d99164c2ea28b53f"
    ),
    "20261121_1010_ledger_add_books.py": (
        "1b8b3a867404dd67c115820efa3ef5e99c57c2e3150dbc2b09d0b3feeb4772b3"
    ),
    "20261121_1020_events_add_rails.py": (
        "46990b754ed9c27e6c39454347cf47cf8638424b211d7f50dbf300ceabff1821"
    ),
    "20261121_1030_guard_add_keys.py": (
        "1281ee4f2f5635cb8bf5312b690ae41a6dbab46e3ae54e1112d944a9879eece2"
    ),
    "20261121_1040_audit_add_chain.py": (
        "eef9a6266bdf9dfa59e014fcb9e643b4433364fb7ba2fb84bbeb6f311add3c92"
    ),
    "20261121_1050_tenancy_add_tenants.py": (
        "6f5634caf17d5a3757e49f2696bf28efd7ab1676e4627e9984e800dcc45dfb83"
    ),
    "20261121_1100_identity_add_clients_people_keys.py": (
        "b2eaae878180c19695169414e6dd3e99d672bfb4c5329f448b89d8f8fa32b482"
    ),
    "20261121_1110_shops_add_shops.py": (
        "af2708e7c98722663501455abac967470502f3098c49f6a1d30ce3b9f7b84a27"
    ),
    "20261121_1120_payments_add_payments.py": (
        "dbec42fdfcf7a606cd9dafe09b343f26ca089bd88695015f02da69330a611027"
    ),
    "20261121_1130_programmes_add_programmes.py": (
        "cb3c2fb3cf835f7768b71ac3d300809ca7618137fbe9890686db8eb0dd43e18e"
    ),
    "20261121_1140_coupons_add_batches.py": (
        "7db7bec6a7e5cf0e9af57cad7994e4a839b050602533f389021f4443fc83e5c5"
    ),
    "20261121_1200_identity_add_sessions_and_invitations.py": (
        "c731246ebfa05adc24463abd2368641ca1bccabf51f7a687e5837ec3272e6d66"
    ),
    "20261121_1210_tenancy_add_theme_and_logo.py": (
        "03f3dfdb83bbbb3ac69c65b2242f98884888ab62f9d511a2c33875ad52c0c67a"
    ),
    "20261121_1220_reporting_add_daily_figures.py": (
        "b32bdb349cad1be4b9d7ab5152518ca1ef1217b57e9d8a1c4538df5c432a968c"
    ),
    "20261121_1230_kernel_converge_functions_and_rights.py": (
        "05032a447b573d0f2b564dba11945e1c6887706231030d2ec09b2b32bee4993f"
    ),
    "20261121_1300_guard_add_switches.py": (
        "99289e27e3a3c48d510e86c82ca06b84f79e6ac7ffa0392c52396362ecf76685"
    ),
    "20261121_1310_health_add_figures.py": (
        "7f7ecadac37444da71bc71c7b1386a7b3e94c4a58c8c8812e7225923f884b04b"
    ),
    "20261121_1320_identity_add_list_memberships.py": (
        "32c03583e27048e09e12a3b5f3cbd9b240f902760d94aead1110e5823e4a8f1b"
    ),
    "20261121_1330_events_leave_room_in_outbox.py": (
        "9d9c9325e1622a7b14d5aa9d08b2f76e675fb2449e70367ad1fe44799b08849d"
    ),
}
"""The SHA-256 of every migration that has run somewhere."""

FUNCTIONS = re.compile(r'^FUNCTIONS = "([0-9a-f]{64})"$', re.MULTILINE)
BEFORE = "20261121_1220"
NEW_MIGRATION = (
    'calls load_functions(*FUNCTION_ROOMS) and names FUNCTIONS = "{}", the hash of all sql/ files'
)

DAMAGE = """
DROP FUNCTION ledger_issue_many;
DROP FUNCTION ledger_drain_many;
CREATE FUNCTION ledger_issue_staged(p_tenant uuid, p_entry uuid, OUT count bigint)
    LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint';
ALTER FUNCTION ledger_issue_staged OWNER TO giftpad_ledger;
GRANT CREATE ON SCHEMA public TO giftpad_ledger;
GRANT EXECUTE ON FUNCTION ledger_transfer TO PUBLIC, giftpad_relay;
ALTER FUNCTION ledger_lock_account OWNER TO giftpad_owner;
ALTER FUNCTION payments_look_up SECURITY DEFINER;
DROP FUNCTION payments_judge;
CREATE FUNCTION payments_judge(p_tenant uuid, p_locator bigint, OUT reason text)
    LANGUAGE sql AS 'SELECT NULL::text';
ALTER FUNCTION payments_judge OWNER TO giftpad_owner;
CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now() + ''1 h''';
GRANT UPDATE ON payment_rules, payment_terms, payment_instruments, payment_locators,
    payment_payments, payment_history TO giftpad_app;
GRANT DELETE ON payment_payments TO giftpad_app;
"""
"""What a database had that was made before migrations 1010 and 1120 were changed, and worse."""

RIGHTS = """
SELECT 'function', p.oid::regprocedure::text, pg_get_userbyid(p.proowner),
    pg_get_functiondef(p.oid),
    ARRAY(SELECT r::text FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) r
        ORDER BY 1)
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'table', c.relname, pg_get_userbyid(c.relowner), c.relkind::text,
    ARRAY(SELECT r::text FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) r
        ORDER BY 1)
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'column', c.relname || '.' || a.attname, '', '',
    ARRAY(SELECT r::text FROM aclexplode(a.attacl) r ORDER BY 1)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL
UNION ALL
SELECT 'schema', n.nspname, pg_get_userbyid(n.nspowner), '',
    ARRAY(SELECT r::text FROM aclexplode(n.nspacl) r ORDER BY 1)
FROM pg_namespace n WHERE n.nspname = 'public'
"""


@pytest.fixture
def damaged(servers, fresh_settings):
    """A database of the old shape: its settings, and a superuser's way into it."""
    superuser = servers.urls.in_database(fresh_settings.database_url.rpartition("/")[2]).superuser
    with psycopg.connect(superuser, autocommit=True) as connection:
        yield fresh_settings, connection


def test_a_shipped_migration_is_not_edited():
    for name, shipped in SHIPPED.items():
        found = hashlib.sha256((VERSIONS / name).read_bytes()).hexdigest()
        assert found == shipped, f"{name} has run somewhere: write a new migration instead"


def test_the_newest_functions_are_loaded_by_a_migration():
    loaders = [
        found[1]
        for path in sorted(VERSIONS.glob("*.py"))
        if (found := FUNCTIONS.search(path.read_text(encoding="utf-8")))
    ]
    wanted = functions_hash()
    assert loaders[-1] == wanted, (
        "a database function was changed: write a new migration, which "
        + NEW_MIGRATION.format(wanted)
    )


def test_an_upgrade_gives_an_old_database_what_a_new_one_has(damaged):
    settings, connection = damaged
    new = sorted(connection.execute(RIGHTS).fetchall())
    command.downgrade(configuration(settings.database_owner_url), BEFORE)
    connection.execute(DAMAGE)
    assert sorted(connection.execute(RIGHTS).fetchall()) != new
    upgrade(settings)
    assert sorted(connection.execute(RIGHTS).fetchall()) == new


def test_a_function_of_the_same_shape_is_replaced_in_place(damaged):
    settings, connection = damaged
    oid = "SELECT 'payments_pay'::regproc::oid, 'ledger_transfer'::regproc::oid"
    before = connection.execute(oid).fetchone()
    command.downgrade(configuration(settings.database_owner_url), BEFORE)
    upgrade(settings)
    assert connection.execute(oid).fetchone() == before
