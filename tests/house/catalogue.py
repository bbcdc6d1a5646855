"""What the database's own catalogue must show, each rule with a piece of SQL that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

TENANTLESS = ("tenants", "alembic_version")
"""Tables that belong to no tenant: the directory of tenants itself, and Alembic's own."""

HOT = ("ledger_", "payment_", "event_", "guard_")
"""Tables of the payment path, which has no foreign keys."""

Connection = psycopg.Connection[Any]
Find = Callable[[Connection], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How to find what breaks a rule; SQL that does so on a table ``stray``, and what is named."""

    find: Find
    broken_by: str
    seen: str


_KEYS = """
SELECT i.relname
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
WHERE a.attname IS DISTINCT FROM 'tenant_id' AND c.relname <> ALL (%s)
"""

_TABLES = """
SELECT c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
WHERE c.relkind IN ('r', 'p') AND c.relname <> ALL (%s)
"""
_UNOWNED = "AND pg_get_userbyid(c.relowner) <> 'giftpad_owner'"
_OPEN = """
AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND 1 = (
    SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles = '{0}'
    AND pg_get_expr(p.polqual, p.polrelid) LIKE '%%app.tenant_id%%'
    AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%%app.tenant_id%%'))
"""
_FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, pg_get_constraintdef(c.oid) FROM pg_constraint c
WHERE c.contype = 'f'
"""
_FUNCTIONS = """
SELECT p.proname FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'public'
WHERE p.pronargs > 0 AND p.proargnames[1] IS DISTINCT FROM 'p_tenant'
"""


def _names(query: str, *parameters: object) -> Find:
    def ask(connection: Connection) -> list[str]:
        return [name for (name,) in connection.execute(query.encode(), parameters)]

    return ask


def _strange_foreign_keys(connection: Connection) -> list[str]:
    found = []
    for table, definition in connection.execute(_FOREIGN_KEYS):
        is_inside = "FOREIGN KEY (tenant_id" in definition or "REFERENCES tenants(id)" in definition
        if table.startswith(HOT) or not is_inside:
            found.append(table)
    return found


_POLICY = "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
_STRAY = f"""
CREATE TABLE stray (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id));
ALTER TABLE stray OWNER TO giftpad_owner;
ALTER TABLE stray ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON stray USING ({_POLICY}) WITH CHECK ({_POLICY});
"""

RULES: dict[str, Rule] = {
    "keys and indexes are led by the tenant": Rule(
        find=_names(_KEYS, list(TENANTLESS)),
        broken_by="CREATE INDEX stray_by_id ON stray (id)",
        seen="stray_by_id",
    ),
    "tables belong to the owner": Rule(
        find=_names(_TABLES + _UNOWNED, []),
        broken_by="ALTER TABLE stray OWNER TO CURRENT_USER",
        seen="stray",
    ),
    "tables are closed even for their owner": Rule(
        find=_names(_TABLES + _OPEN, list(TENANTLESS)),
        broken_by="ALTER TABLE stray NO FORCE ROW LEVEL SECURITY",
        seen="stray",
    ),
    "tables have a policy": Rule(
        find=_names(_TABLES + _OPEN, list(TENANTLESS)),
        broken_by="ALTER POLICY tenant_only ON stray WITH CHECK (true)",
        seen="stray",
    ),
    "foreign keys stay inside the tenant": Rule(
        find=_strange_foreign_keys,
        broken_by="ALTER TABLE stray ADD parent_id uuid UNIQUE,"
        " ADD FOREIGN KEY (id) REFERENCES stray (parent_id)",
        seen="stray",
    ),
    "the payment path has no foreign keys": Rule(
        find=_strange_foreign_keys,
        broken_by="ALTER TABLE ledger_accounts"
        " ADD FOREIGN KEY (tenant_id, id) REFERENCES stray (tenant_id, id) NOT VALID",
        seen="ledger_accounts",
    ),
    "there are no triggers": Rule(
        find=_names("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"),
        broken_by="CREATE TRIGGER stray_touched BEFORE UPDATE ON stray"
        " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        seen="stray_touched",
    ),
    "there are no sequences": Rule(
        find=_names("SELECT relname FROM pg_class WHERE relkind = 'S'"),
        broken_by="ALTER TABLE stray ADD number bigint GENERATED ALWAYS AS IDENTITY",
        seen="stray_number_seq",
    ),
    "functions take the tenant first": Rule(
        find=_names(_FUNCTIONS),
        broken_by="CREATE FUNCTION stray_add(p_amount bigint) RETURNS bigint"
        " LANGUAGE sql AS 'SELECT p_amount'",
        seen="stray_add",
    ),
}


def break_rule(connection: Connection, rule: Rule) -> None:
    """Add a table that keeps every rule, then what breaks this one."""
    connection.execute(_STRAY.encode())
    connection.execute(rule.broken_by.encode())
