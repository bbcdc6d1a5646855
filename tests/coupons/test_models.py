"""The database's own walls around the tables of coupons, by raw SQL as the application's role."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb

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


def test_a_tenant_sees_and_changes_its_own_rows_only(town, app_role):
    other = mk.make_town()
    for table in TABLES:
        row = app_role(town.tenant_id).execute(f"SELECT * FROM {table} LIMIT 1").fetchone()
        values = [Jsonb(value) if isinstance(value, dict | list) else value for value in row]
        connection = app_role(other.tenant_id)
        count = f"SELECT count(*) FROM {table} WHERE tenant_id = %s"
        assert connection.execute(count, [town.tenant_id]).fetchone() == (0,)
        if table != "coupon_replacements":
            update = f"UPDATE {table} SET tenant_id = %s WHERE tenant_id = %s"
            moved = connection.execute(update, [other.tenant_id, town.tenant_id])
            assert moved.rowcount == 0
        marks = ", ".join(["%s"] * len(values))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def test_without_a_tenant_nothing_is_seen(town, settings):
    with psycopg.connect(settings.database_url) as connection:
        for table in TABLES:
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_nothing_is_ever_deleted_and_a_replacement_never_rewritten(town, app_role):
    refused = [f"{verb} {table}" for table in TABLES for verb in ("DELETE FROM", "TRUNCATE")]
    for statement in [*refused, "UPDATE coupon_replacements SET reason = 'none'"]:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app_role(town.tenant_id).execute(statement)


def test_a_batch_that_cannot_be_is_refused_by_the_database(town, app_role):
    for change in (
        "quantity = 0",
        "quantity = 1000001",
        "face_value_minor = 0",
        "state = 'lost'",
        "batch_key = NULL",
        "print_destroyed_at = now()",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            app_role(town.tenant_id).execute(f"UPDATE coupon_batches SET {change}")
