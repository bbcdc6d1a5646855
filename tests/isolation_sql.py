"""Attempts at another tenant's rows by raw SQL, whatever the role; each that works is a hole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

ROLES = {
    "giftpad_app": "database_url",
    "giftpad_relay": "database_relay_url",
    "giftpad_migrate": "database_owner_url",
    "giftpad_owner": "database_owner_url",
    "giftpad_ledger": "database_owner_url",
}
"""Each role of the database, and the setting whose login leads to it."""


@contextmanager
def connected(settings: object, role: str) -> Iterator[psycopg.Connection]:
    """Connect as a role, by SET ROLE where it has no login; nothing that is done stays."""
    with psycopg.connect(getattr(settings, ROLES[role])) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield connection
        connection.rollback()


def attempt(
    connection: psycopg.Connection,
    statement: str | sql.Composed,
    values: dict[str, object] | None = None,
    *,
    tenant_id: UUID | None = None,
) -> int | str:
    """Try a statement and undo it; return its first value or count of rows, or "refused".

    What fails for another reason than a missing right was not stopped by one: its error counts.
    """
    query = sql.SQL(statement) if isinstance(statement, str) else statement  # type: ignore[arg-type]
    try:
        with connection.transaction(force_rollback=True):
            if tenant_id is not None:
                connection.execute(f"SET LOCAL app.tenant_id = '{tenant_id}'")  # type: ignore[arg-type]
            done = connection.execute(query, values)
            found = done.fetchone() if done.description else None
            return int(found[0]) if found is not None else done.rowcount
    except psycopg.errors.InsufficientPrivilege:
        return "refused"
    except psycopg.Error as error:
        return type(error).__name__


def find_holes(
    connection: psycopg.Connection,
    table: str,
    row: dict[str, object],
    *,
    victim: UUID,
    intruder: UUID,
) -> list[str]:
    """Return what a role can do to the victim's rows of a table, as nobody and as the intruder.

    ``row`` is one of the victim's.
    """
    name = sql.Identifier(table)
    count = sql.SQL("SELECT count(*) FROM {}").format(name)
    copy = sql.SQL("INSERT INTO {0} SELECT (jsonb_populate_record(NULL::{0}, %(row)s)).*").format(
        name
    )
    attempts: list[tuple[str, sql.Composed, UUID | None]] = [
        ("shows rows to nobody", count, None),
        ("takes a row from nobody", copy, None),
        ("takes a foreign row", copy, intruder),
    ]
    theirs = {
        "shows foreign rows": "SELECT count(*) FROM {} WHERE tenant_id = %(victim)s",
        "changes foreign rows": "UPDATE {} SET tenant_id = tenant_id WHERE tenant_id = %(victim)s",
        "takes foreign rows over": "UPDATE {} SET tenant_id = %(intruder)s"
        " WHERE tenant_id = %(victim)s",
        "gives rows away": "UPDATE {} SET tenant_id = %(victim)s WHERE tenant_id = %(intruder)s",
        "deletes foreign rows": "DELETE FROM {} WHERE tenant_id = %(victim)s",
    }
    attempts += [(what, sql.SQL(text).format(name), intruder) for what, text in theirs.items()]
    attempts += [
        (f"{what}, to nobody", sql.SQL(theirs[what]).format(name), None)
        for what in ("changes foreign rows", "deletes foreign rows")
    ]
    values: dict[str, object] = {"victim": victim, "intruder": intruder, "row": Jsonb(row)}
    return [
        f"{table} {what}"
        for what, statement, tenant_id in attempts
        if attempt(connection, statement, values, tenant_id=tenant_id) not in (0, "refused")
    ]


_POLICY = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
FAULTS = {
    "table with an open wall": """
        SELECT relname FROM pg_class WHERE relname = ANY (%(tables)s)
        AND NOT (relrowsecurity AND relforcerowsecurity)
    """,
    "policy of another kind": f"""
        SELECT tablename, policyname, qual, with_check FROM pg_policies
        WHERE schemaname = 'public'
        AND NOT (policyname = 'tenant_only' AND qual = with_check AND qual = $${_POLICY}$$)
        AND NOT (policyname = 'relay_all' AND roles = '{{giftpad_relay}}'
            AND tablename IN ('event_outbox', 'event_inbox'))
    """,
    "unique index that tells of other tenants": """
        SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid
        JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = indkey[0]
        WHERE c.relname = ANY (%(tables)s) AND indisunique AND a.attname <> 'tenant_id'
    """,
    "foreign key that leaves the tenant": """
        SELECT conname FROM pg_constraint
        WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM unnest(conkey, confkey) k(own, their)
            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.own
            JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = k.their
            WHERE a.attname = 'tenant_id'
            AND (b.attname = 'tenant_id' OR confrelid = 'tenants'::regclass))
    """,
    "role above the wall": """
        SELECT rolname FROM pg_roles WHERE rolname LIKE 'giftpad%%'
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
    """,
    "function with borrowed rights but the ledger's": """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
        AND NOT (proowner = 'giftpad_ledger'::regrole
            AND 'search_path=public, pg_temp' = ANY (proconfig))
    """,
    "function with borrowed rights for everybody": """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
        AND has_function_privilege('giftpad_relay', oid, 'EXECUTE')
    """,
    "view with its owner's eyes": """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('v', 'm')
        AND NOT ('security_invoker=true' = ANY (COALESCE(reloptions, '{}')))
    """,
}
"""What may not be found in the catalogue, and the query that would find it."""
