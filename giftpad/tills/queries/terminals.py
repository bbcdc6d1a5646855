"""Tablets of shops, and the clerks who type a PIN on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import tenancy
from giftpad.kernel.bearer import is_secret
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Scope, Work, unit_of_work
from giftpad.tills.errors import TerminalOver
from giftpad.tills.models import ClerkRow, TerminalRow, TillRow
from giftpad.tills.rules import CLERKS_MAX, PIN_FAILURES_MAX, TERMINAL_IDLE_S, TERMINALS_MAX

NAMES_MAX = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalView:
    """A tablet of a shop as its owner sees it."""

    id: UUID
    name: str
    agent: str
    paired_by: str
    created_at: datetime
    seen_at: datetime
    clerk_id: UUID | None
    is_used: bool
    """Whether it has come for its secret since it was let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClerkView:
    """Somebody who types a PIN at the tablets of a shop."""

    id: UUID
    name: str
    is_member: bool
    is_locked: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TillView:
    """All of a shop's tablets, its clerks, and whether a PIN is asked for."""

    shop_id: UUID
    asks_pin: bool
    terminals: tuple[TerminalView, ...]
    clerks: tuple[ClerkView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A tablet that has shown its secret, and who may be at it."""

    id: UUID
    name: str
    shop_id: UUID
    tenant: tenancy.Tenant
    asks_pin: bool
    clerks: tuple[ClerkView, ...]


def is_connected(work: Work) -> sa.ColumnElement[bool]:
    """Tell the tablets of a tenant that have not ended in any way."""
    return sa.and_(
        TerminalRow.tenant_id == work.tenant_id,
        TerminalRow.ended_at.is_(None),
        TerminalRow.expires_at > work.at,
        TerminalRow.seen_at > work.at - timedelta(seconds=TERMINAL_IDLE_S),
    )


def clerk_place(tenant_id: UUID, clerk_id: UUID) -> str:
    """Name the place of a clerk's sealed name."""
    return column_place(tenant_id, ClerkRow.__tablename__, "name_sealed", clerk_id)


def clerk_name(row: ClerkRow) -> str:
    """Return what a clerk is called."""
    return tenancy.open_text(row.tenant_id, clerk_place(row.tenant_id, row.id), row.name_sealed)


def asks_pin(work: Work, shop_id: UUID) -> bool:
    """Whether whoever takes a tablet of this shop has to type a PIN."""
    row = work.session.get(TillRow, (work.tenant_id, shop_id))
    return row is not None and row.asks_pin


def clerks_of(work: Work, shop_id: UUID) -> list[ClerkView]:
    """Return the clerks of a shop who may type a PIN, by age."""
    rows = work.session.scalars(
        sa.select(ClerkRow)
        .where(
            ClerkRow.tenant_id == work.tenant_id,
            ClerkRow.shop_id == shop_id,
            ClerkRow.removed_at.is_(None),
        )
        .order_by(ClerkRow.created_at, ClerkRow.id)
        .limit(CLERKS_MAX)
    )
    return [
        ClerkView(
            id=row.id,
            name=clerk_name(row),
            is_member=row.membership_id is not None,
            is_locked=row.failures >= PIN_FAILURES_MAX,
            created_at=row.created_at,
        )
        for row in rows
    ]


def get_till(work: Work, shop_id: UUID) -> TillView:
    """Return the tablets and the clerks of a shop, the tablet seen last first."""
    rows = work.session.scalars(
        sa.select(TerminalRow)
        .where(is_connected(work), TerminalRow.shop_id == shop_id)
        .order_by(TerminalRow.seen_at.desc(), TerminalRow.id)
        .limit(TERMINALS_MAX)
    )
    return TillView(
        shop_id=shop_id,
        asks_pin=asks_pin(work, shop_id),
        terminals=tuple(
            TerminalView(
                id=row.id,
                name=row.name,
                agent=row.agent,
                paired_by=row.paired_by,
                created_at=row.created_at,
                seen_at=row.seen_at,
                clerk_id=row.clerk_id,
                is_used=row.secret_hash is not None,
            )
            for row in rows
        ),
        clerks=tuple(clerks_of(work, shop_id)),
    )


def find_terminal(tenant_id: UUID, terminal_id: UUID) -> Terminal:
    """Return a tablet and who may be at it, whoever asks; its secret is another question.

    Raises: TerminalOver.
    """
    tenant = tenancy.find_tenant(tenant_id)
    if tenant is None or tenant.is_suspended:
        raise TerminalOver
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        row = work.session.scalars(
            sa.select(TerminalRow).where(is_connected(work), TerminalRow.id == terminal_id)
        ).one_or_none()
        if row is None:
            raise TerminalOver
        return Terminal(
            id=row.id,
            name=row.name,
            shop_id=row.shop_id,
            tenant=tenant,
            asks_pin=asks_pin(work, row.shop_id),
            clerks=tuple(clerks_of(work, row.shop_id)),
        )


def holds(row: TerminalRow, secret: str) -> bool:
    """Whether a secret is the one of a tablet, or the one before."""
    return any(
        kept is not None and is_secret(secret, kept) for kept in (row.secret_hash, row.before_hash)
    )


def list_names(scope: Scope, ids: Collection[UUID] | None = None) -> dict[UUID, str]:
    """Return what the tablets and the clerks without an account are called, all or those asked for.

    Whoever was removed keeps the name: payments are of them.
    """
    if ids is not None and not ids:
        return {}
    with unit_of_work(scope) as work:
        clerks = sa.select(ClerkRow).where(
            ClerkRow.tenant_id == work.tenant_id, ClerkRow.membership_id.is_(None)
        )
        terminals = sa.select(TerminalRow.id, TerminalRow.name).where(
            TerminalRow.tenant_id == work.tenant_id
        )
        if ids is not None:
            clerks = clerks.where(ClerkRow.id.in_(set(ids)))
            terminals = terminals.where(TerminalRow.id.in_(set(ids)))
        found = {row[0]: str(row[1]) for row in work.session.execute(terminals.limit(NAMES_MAX))}
        return found | {
            row.id: clerk_name(row) for row in work.session.scalars(clerks.limit(NAMES_MAX))
        }
