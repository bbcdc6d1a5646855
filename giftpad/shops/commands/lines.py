"""Many shops at once, from the lines of a file: new ones are enrolled, known ones changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from giftpad import tenancy
from giftpad.kernel.ids import new_id
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Work
from giftpad.shops.commands.rows import (
    contact_values,
    facts_values,
    free_instant,
    instant_for,
)
from giftpad.shops.models import ShopContactRow, ShopFactsRow, ShopRow
from giftpad.shops.queries import facts_of
from giftpad.shops.rules.facts import CONTACT_PARTS, FACT_NAMES, Contact, Facts, ShopChange, Taken
from giftpad.shops.rules.sheet import SheetLine

History = dict[datetime, Facts]
SOON = timedelta(seconds=1)
"""Facts of now begin a microsecond later where others begin now; that is no later day."""


def take_lines(work: Work, lines: Sequence[SheetLine]) -> Taken:
    """Make each line's shop what the line says, by its number.

    A column the file does not have leaves a known shop as it is.  A day in the past counts as
    now for a known shop.  Taking the same lines again changes nothing.
    Locks: the rows of the known shops, by number.
    """
    return _take(work, lines, _lock_known(work, lines), is_trial=False)


def try_lines(work: Work, lines: Sequence[SheetLine]) -> Taken:
    """Tell what taking these lines would do now; it writes and locks nothing."""
    return _take(work, lines, _by_number(work, _known(lines, work.tenant_id)), is_trial=True)


def _take(
    work: Work, lines: Sequence[SheetLine], known: dict[str, UUID], *, is_trial: bool
) -> Taken:
    histories = _histories(work, list(known.values()))
    contacts = _contacts(work, list(known.values()), lines)
    shops, facts_rows, contact_rows = [], [], []
    changes: list[ShopChange] = []
    enrolled = 0
    for line in lines:
        number = line.values["number"]
        shop_id = known.get(number)
        is_new = shop_id is None
        if shop_id is None:
            shop_id = new_id()
            shops.append(
                {
                    "tenant_id": work.tenant_id,
                    "id": shop_id,
                    "number": number,
                    "created_at": work.at,
                }
            )
        history, old_contact = histories.get(shop_id, {}), contacts.get(shop_id)
        row = _next_facts(work, shop_id, line, history)
        contact = _next_contact(line, old_contact)
        if row is not None:
            facts_rows.append(row)
        if contact is not None:
            contact_rows.append((shop_id, contact))
        enrolled += is_new
        if not is_new and (row is not None or contact is not None):
            changes.append(_change(work, line, history, row=row, contact=(old_contact, contact)))
    if not is_trial:
        sealed = [contact_values(work, shop_id, contact) for shop_id, contact in contact_rows]
        _write(work, shops, facts_rows, contact_rows=sealed)
    unchanged = len(lines) - enrolled - len(changes)
    return Taken(
        enrolled=enrolled, changed=len(changes), unchanged=unchanged, changes=tuple(changes)
    )


def _change(
    work: Work,
    line: SheetLine,
    history: History,
    *,
    row: dict[str, Any] | None,
    contact: tuple[Contact | None, Contact | None],
) -> ShopChange:
    """Tell what a line changes: its shop's name before and after, and the columns that differ."""
    _, now = _holding(history, work.at)
    fields = []
    next_name = now.name
    if row is not None:
        _, holding = _holding(history, row["starts_at"])
        next_name = row["name"]
        given = {**row, "groups": tuple(row["groups"])}
        fields += [name for name in FACT_NAMES if given[name] != getattr(holding, name)]
        if row["starts_at"] > work.at + SOON or not fields:
            fields.append("starts_on")
    old, new = contact
    if new is not None:
        known = old or Contact()
        fields += [f"contact_{p}" for p in CONTACT_PARTS if getattr(known, p) != getattr(new, p)]
    return ShopChange(
        line=line.line,
        number=line.values["number"],
        name=now.name,
        next_name=next_name,
        fields=tuple(fields),
    )


def _among(
    column: InstrumentedAttribute[Any], values: list[Any], kind: type[sa.types.TypeEngine[Any]]
) -> sa.ColumnElement[bool]:
    """Compare with a list that travels as one parameter: a thousand are slow to write and parse."""
    return column == sa.func.any(sa.bindparam(None, values, ARRAY(kind)))


def _known(lines: Sequence[SheetLine], tenant_id: UUID) -> sa.Select[str, UUID]:
    numbers = [line.values["number"] for line in lines]
    return sa.select(ShopRow.number, ShopRow.id).where(
        ShopRow.tenant_id == tenant_id, _among(ShopRow.number, numbers, sa.Text)
    )


def _lock_known(work: Work, lines: Sequence[SheetLine]) -> dict[str, UUID]:
    known = _known(lines, work.tenant_id).order_by(ShopRow.number).with_for_update()
    return _by_number(work, known)


def _by_number(work: Work, known: sa.Select[str, UUID]) -> dict[str, UUID]:
    rows = work.session.execute(known)
    return {number: shop_id for number, shop_id in rows}  # noqa: C416 - rows are no plain pairs


def _histories(work: Work, shop_ids: list[UUID]) -> dict[UUID, History]:
    """Return all facts of the shops, by the instant they hold from, oldest first."""
    histories: dict[UUID, History] = {}
    rows = work.session.execute(
        sa.select(*ShopFactsRow.__table__.columns)
        .where(
            ShopFactsRow.tenant_id == work.tenant_id,
            _among(ShopFactsRow.shop_id, shop_ids, sa.Uuid),
        )
        .order_by(ShopFactsRow.shop_id, ShopFactsRow.starts_at)
    )
    for row in rows:
        histories.setdefault(row.shop_id, {})[row.starts_at] = facts_of(row)
    return histories


def _contacts(work: Work, shop_ids: list[UUID], lines: Sequence[SheetLine]) -> dict[UUID, Contact]:
    if not any(name.startswith("contact_") for name in (lines[0].values if lines else ())):
        return {}
    rows = work.session.execute(
        sa.select(*ShopContactRow.__table__.columns).where(
            ShopContactRow.tenant_id == work.tenant_id,
            _among(ShopContactRow.shop_id, shop_ids, sa.Uuid),
        )
    )
    return {row.shop_id: _opened(work, row) for row in rows}


def _opened(work: Work, row: Any) -> Contact:
    def opened(part: str) -> str:
        column = f"{part}_sealed"
        place = column_place(work.tenant_id, "shop_contacts", column, row.shop_id)
        return tenancy.open_text(work.tenant_id, place, getattr(row, column))

    return Contact(**{part: opened(part) for part in CONTACT_PARTS})


def _next_facts(
    work: Work, shop_id: UUID, line: SheetLine, history: History
) -> dict[str, Any] | None:
    """Return the row of facts a line adds, or None if what it says holds already."""
    given = {name: line.values[name] for name in FACT_NAMES if name in line.values}
    wanted_at = instant_for(work, line.values.get("starts_on"))
    if not history:
        return facts_values(work, shop_id, Facts(**given), starts_at=wanted_at)
    wanted_at = max(wanted_at, work.at)
    has_started, holding = _holding(history, wanted_at)
    facts = replace(holding, **given)
    if has_started and facts == holding:
        return None
    return facts_values(work, shop_id, facts, starts_at=free_instant(wanted_at, history))


def _holding(history: History, at: datetime) -> tuple[bool, Facts]:
    """Return what holds at an instant; before a shop's first facts, those and false."""
    before = [facts for begins_at, facts in history.items() if begins_at <= at]
    return (True, before[-1]) if before else (False, next(iter(history.values())))


def _next_contact(line: SheetLine, known: Contact | None) -> Contact | None:
    """Return the contact a line sets, or None if it says nothing new."""
    given = {
        part: line.values[f"contact_{part}"]
        for part in CONTACT_PARTS
        if f"contact_{part}" in line.values
    }
    contact = replace(known or Contact(), **given)
    return None if contact == (known or Contact()) else contact


def _write(
    work: Work,
    shops: list[dict[str, Any]],
    facts_rows: list[dict[str, Any]],
    *,
    contact_rows: list[dict[str, Any]],
) -> None:
    replaced = ", ".join(
        f"{column.name} = excluded.{column.name}"
        for column in ShopContactRow.__table__.columns
        if not column.primary_key
    )
    _insert(work, ShopRow.__tablename__, shops)
    _insert(work, ShopFactsRow.__tablename__, facts_rows)
    upsert = f" ON CONFLICT (tenant_id, shop_id) DO UPDATE SET {replaced}"
    _insert(work, ShopContactRow.__tablename__, contact_rows, or_else=upsert)


def _insert(work: Work, table: str, rows: list[dict[str, Any]], *, or_else: str = "") -> None:
    """Insert rows by one statement, which is several times as fast as one statement a row."""
    if not rows:
        return
    statement = (
        f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset("  # noqa: S608 - own names
        f"NULL::{table}, CAST(:rows AS jsonb)){or_else}"
    )
    texts = [{name: _to_json(value) for name, value in row.items()} for row in rows]
    encoded = msgspec.json.encode(texts).decode()
    work.session.execute(sa.text(statement), {"rows": encoded})


def _to_json(value: object) -> object:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value
