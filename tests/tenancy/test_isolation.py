"""Row-level security, by raw SQL as the application's own role."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from giftpad import shops, tenancy
from giftpad.kernel.work import unit_of_work
from giftpad.shops import handlers
from tests.make_packs import apply_town

TABLES = {
    "tenancy_ring_keys": {"SELECT", "INSERT", "UPDATE"},
    "tenancy_printed_addresses": {"SELECT", "INSERT"},
    "shop_shops": {"SELECT", "INSERT", "UPDATE"},
    "shop_facts": {"SELECT", "INSERT"},
    "shop_contacts": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "shop_branches": {"SELECT", "INSERT", "UPDATE"},
    "shop_imports": {"SELECT", "INSERT", "UPDATE"},
    "shop_import_errors": {"SELECT", "INSERT", "DELETE"},
    "programme_programmes": {"SELECT", "INSERT", "UPDATE"},
}


@pytest.fixture
def towns(house, tmp_path):
    """Two towns with a row in each table that tenants fill."""
    scopes = []
    for name in ("east", "west"):
        scope = apply_town(tmp_path / name)
        bad = b"number,name,area\n-,x,y\n"
        with shops.kept_file(scope, bad) as kept, unit_of_work(scope) as work:
            shop_id = shops.find_shop_id(work, "1001")
            shops.add_branch(work, shop_id, name="駅前店")
            shops.set_contact(work, shop_id, shops.Contact(name="青葉 花"))
            import_id = shops.order_import(work, kept)
        handlers.run_import(scope, shops.ShopImportOrdered(object_id=import_id))
        scopes.append(scope)
    return scopes


@pytest.fixture
def as_app(settings):
    """A raw connection as the application's role."""
    with psycopg.connect(settings.database_url) as connection:
        yield connection
        connection.rollback()


def set_tenant(connection, tenant_id):
    connection.execute(f"SET LOCAL app.tenant_id = '{tenant_id}'")


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"tenancy_printed_addresses"}))
def test_a_tenant_sees_and_writes_its_own_rows_only(towns, as_app, table):
    mine, theirs = (scope.tenant_id for scope in towns)
    count = sql.SQL("SELECT count(*), count(DISTINCT tenant_id) FROM {}").format(
        sql.Identifier(table)
    )
    assert as_app.execute(count).fetchone() == (0, 0)
    set_tenant(as_app, mine)
    rows, tenants = as_app.execute(count).fetchone()
    assert rows > 0
    assert tenants == 1
    copy = sql.SQL("INSERT INTO {0} SELECT (jsonb_populate_record(t, %s)).* FROM {0} t LIMIT 1")
    changes = psycopg.types.json.Jsonb({"tenant_id": str(theirs)})
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        as_app.execute(copy.format(sql.Identifier(table)), [changes])


def test_printed_addresses_belong_to_the_platform(towns, as_app):
    tenancy.remember_address("http://printed.example")
    seen = "SELECT count(*) FROM tenancy_printed_addresses"
    set_tenant(as_app, towns[0].tenant_id)
    assert as_app.execute(seen).fetchone() == (0,)
    set_tenant(as_app, tenancy.PLATFORM_TENANT_ID)
    assert as_app.execute(seen).fetchone()[0] > 0


@pytest.mark.parametrize(("table", "allowed"), TABLES.items())
def test_the_application_may_do_what_it_needs_and_no_more(house, as_app, table, allowed):
    found = as_app.execute(
        "SELECT array_agg(privilege_type::text) FROM information_schema.role_table_grants"
        " WHERE table_name = %s AND grantee = 'giftpad_app'",
        [table],
    ).fetchone()[0]
    assert set(found) == allowed
    forced = as_app.execute(
        "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = %s", [table]
    ).fetchone()[0]
    assert forced


@pytest.mark.parametrize(
    "statement", ["UPDATE shop_facts SET area = 'x'", "DELETE FROM shop_facts"]
)
def test_dated_facts_are_never_overwritten(towns, as_app, statement):
    set_tenant(as_app, towns[0].tenant_id)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        as_app.execute(statement)


def test_the_relay_knows_only_which_tenants_there_are(towns, settings):
    with psycopg.connect(settings.database_relay_url) as connection:
        assert connection.execute("SELECT count(id) FROM tenants").fetchone()[0] >= 3
        for statement in ("SELECT slug FROM tenants", "SELECT * FROM tenancy_ring_keys"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
