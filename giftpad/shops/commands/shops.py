"""One shop: enrol it, change what holds for it from a day on, stop it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.kernel.clock import local_date
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed
from giftpad.shops.commands.rows import (
    contact_values,
    facts_values,
    free_instant,
    instant_for,
    refuse_bound,
)
from giftpad.shops.errors import BranchNotFound, NumberTaken, PastDate, ShopNotFound
from giftpad.shops.models import BranchRow, ShopContactRow, ShopFactsRow, ShopRow
from giftpad.shops.queries import facts_of, list_planned
from giftpad.shops.rules.facts import Contact, NewShop


def enrol(work: Work, new: NewShop) -> UUID:
    """Enrol a shop and return its id.

    Raises: NumberTaken, BoundToShop.
    """
    refuse_bound(work)
    shop_id = new_id()
    row = {"tenant_id": work.tenant_id, "id": shop_id, "number": new.number, "created_at": work.at}
    added = insert(ShopRow).values(row).on_conflict_do_nothing().returning(ShopRow.id)
    if work.session.execute(added).first() is None:
        raise NumberTaken(number=new.number)
    starts_at = instant_for(work, new.starts_on)
    values = facts_values(work, shop_id, new.facts, starts_at=starts_at)
    work.session.execute(insert(ShopFactsRow).values(values))
    if new.contact is not None:
        work.session.execute(
            insert(ShopContactRow).values(contact_values(work, shop_id, new.contact))
        )
    _note(work, "shop.enrolled", shop_id, number=new.number)
    return shop_id


def _lock(work: Work, shop_id: UUID) -> list[ShopFactsRow]:
    """Hold a shop against a second writer and return its facts, oldest first.

    Locks: the shop's row.
    Raises: ShopNotFound.
    """
    bound_to = work.scope.actor.shop_id
    if bound_to is not None and bound_to != shop_id:
        raise ShopNotFound
    found = sa.select(ShopRow.id).where(ShopRow.tenant_id == work.tenant_id, ShopRow.id == shop_id)
    if work.session.execute(found.with_for_update()).one_or_none() is None:
        raise ShopNotFound
    rows = (
        sa.select(ShopFactsRow)
        .where(ShopFactsRow.tenant_id == work.tenant_id, ShopFactsRow.shop_id == shop_id)
        .order_by(ShopFactsRow.starts_at)
    )
    return list(work.session.scalars(rows))


def change_facts(
    work: Work, shop_id: UUID, changes: dict[str, Any], *, starts_on: date | None = None
) -> None:
    """Let other facts hold for a shop from a day on, or from now.

    Facts that are planned for a later day stay as they were planned.
    Locks: the shop's row.
    Raises: ShopNotFound, PastDate, BoundToShop.
    """
    zone = tenancy.get_tenant(work.tenant_id).zone
    if starts_on is not None and starts_on < local_date(work.at, zone):
        raise PastDate(starts_on=starts_on.isoformat())
    history = _lock(work, shop_id)
    refuse_bound(work)
    wanted_at = instant_for(work, starts_on)
    starts_at = free_instant(wanted_at, {row.starts_at for row in history})
    before = [row for row in history if row.starts_at <= starts_at] or history[:1]
    facts = replace(facts_of(before[-1]), **changes)
    values = facts_values(work, shop_id, facts, starts_at=starts_at)
    work.session.execute(insert(ShopFactsRow).values(values))
    _note(work, "shop.facts_changed", shop_id, fields=sorted(changes), starts_at=str(starts_at))


def set_accepting(work: Work, shop_id: UUID, *, accepting: bool, reason: str = "") -> None:
    """Stop a shop, or let it go on, from now and in all facts that are planned.

    Locks: the shop's row.
    Raises: ShopNotFound, BoundToShop.
    """
    history = _lock(work, shop_id)
    refuse_bound(work)
    taken = {row.starts_at for row in history}
    now = [row for row in history if row.starts_at <= work.at][-1:]
    copies = [(facts_of(row), work.at) for row in now]
    copies += [(facts_of(row), row.starts_at) for row in list_planned(work, shop_id)]
    for facts, at in copies:
        starts_at = free_instant(at, taken)
        taken.add(starts_at)
        changed = replace(facts, accepting=accepting)
        values = facts_values(work, shop_id, changed, starts_at=starts_at)
        work.session.execute(insert(ShopFactsRow).values(values))
    details = {"reason": reason} if reason else {}
    _note(work, "shop.resumed" if accepting else "shop.suspended", shop_id, **details)


def set_contact(work: Work, shop_id: UUID, contact: Contact) -> None:
    """Set the person a shop is reached by.

    Locks: the shop's row.
    Raises: ShopNotFound.
    """
    _lock(work, shop_id)
    values = contact_values(work, shop_id, contact)
    statement = insert(ShopContactRow).values(values)
    work.session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "shop_id"], set_=values)
    )
    _note(work, "shop.contact_changed", shop_id)


def add_branch(work: Work, shop_id: UUID, *, name: str, address: str = "") -> UUID:
    """Add one place to a shop and return its id.

    Locks: the shop's row.
    Raises: ShopNotFound.
    """
    _lock(work, shop_id)
    branch_id = new_id()
    values = {
        "tenant_id": work.tenant_id,
        "id": branch_id,
        "shop_id": shop_id,
        "name": name,
        "address": address,
        "created_at": work.at,
    }
    work.session.execute(insert(BranchRow).values(values))
    _note(work, "shop.branch_added", shop_id, branch_id=str(branch_id))
    return branch_id


def close_branch(work: Work, shop_id: UUID, branch_id: UUID) -> None:
    """Close one place of a shop.

    Locks: the shop's row.
    Raises: ShopNotFound, BranchNotFound.
    """
    _lock(work, shop_id)
    closed = (
        sa.update(BranchRow)
        .where(
            BranchRow.tenant_id == work.tenant_id,
            BranchRow.id == branch_id,
            BranchRow.shop_id == shop_id,
            BranchRow.closed_at.is_(None),
        )
        .values(closed_at=work.at)
    )
    if rows_changed(work.session.execute(closed)) == 0:
        raise BranchNotFound
    _note(work, "shop.branch_closed", shop_id, branch_id=str(branch_id))


def _note(work: Work, action: str, shop_id: UUID, **details: object) -> None:
    audit.record(work, action=action, subject=f"shop:{shop_id}", details=details)
