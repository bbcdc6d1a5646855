"""The database's own walls around the tables of coupons, by raw SQL as the application's role."""

from __future__ import annotations

import psycopg
import pytest

from giftpad import coupons
from giftpad.kernel.work import unit_of_work
from tests import make_coupons as mk

TABLES = (
    "coupon_batches",
    "coupon_chunks",
    "coupon_volumes",
    "coupon_serials",
    "coupon_replacements",
)


@pytest.fixture
def town(house, settings):
    town = mk.make_town()
    mk.released(town, settings)
    with unit_of_work(town.scope) as work:
        coupons.replace(work, "MC-1", reason="lost")
    return town


@pytest.fixture
def app_role(settings):
    """A connection as giftpad_app and the tenant it says it is."""
    with psycopg.connect(settings.database_url) as connection:

        def be(tenant_id):
            connection.rollback()
            connection.execute(f"SET LOCAL app.tenant_id = '{tenant_id}'")
            return connection

        yield be


@pytest.mark.parametrize("table", TABLES)
def test_a_tenant_sees_and_changes_its_own_rows_only(town, app_role, table):
    other = mk.make_town()
    count = f"SELECT count(*) FROM {table}"
    mine = app_role(town.tenant_id).execute(count).fetchone()[0]
    assert mine > 0
    assert app_role(other.tenant_id).execute(count).fetchone()[0] == 0
    if table != "coupon_replacements":
        connection = app_role(other.tenant_id)
        changed = connection.execute(f"UPDATE {table} SET tenant_id = tenant_id").rowcount
        assert changed == 0
    row = f"SELECT * FROM {table} LIMIT 1"
    values = app_role(town.tenant_id).execute(row).fetchone()
    marks = ", ".join(["%s"] * len(values))
    plain = [psycopg.types.json.Jsonb(v) if isinstance(v, dict | list) else v for v in values]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app_role(other.tenant_id).execute(f"INSERT INTO {table} VALUES ({marks})", plain)


@pytest.mark.parametrize("table", TABLES)
def test_without_a_tenant_nothing_is_seen(town, settings, table):
    with psycopg.connect(settings.database_url) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_ever_deleted(town, app_role, table):
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app_role(town.tenant_id).execute(statement)


def test_what_was_replaced_is_never_rewritten(town, app_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app_role(town.tenant_id).execute("UPDATE coupon_replacements SET reason = 'none'")


@pytest.mark.parametrize(
    "change",
    [
        "quantity = 0",
        "quantity = 1000001",
        "face_value_minor = 0",
        "state = 'lost'",
        "batch_key = NULL",
        "print_destroyed_at = now()",
    ],
)
def test_a_batch_that_cannot_be_is_refused_by_the_database(town, app_role, change):
    with pytest.raises(psycopg.errors.CheckViolation):
        app_role(town.tenant_id).execute(f"UPDATE coupon_batches SET {change}")
