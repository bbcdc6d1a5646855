"""Tablets that are let into a shop: one shows a code, and whoever keeps the shop says yes.

It is the way of RFC 8628, without a client: what waits is always our own shop app, and what it
gets is no token but the secret of a tablet, which lies in a sealed cookie.

Source: RFC 8628.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from giftpad import audit, identity, tenancy
from giftpad.kernel.bearer import hash_secret, new_code
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, Work, rows_changed, unit_of_work
from giftpad.tills.errors import PairingNotFound, TerminalsFull
from giftpad.tills.models import PairingRow, TerminalRow
from giftpad.tills.queries import is_connected
from giftpad.tills.rules import KEEPING_TILLS, PAIRING_LIFE_S, TERMINAL_LIFE_S, TERMINALS_MAX

PLATFORM = Scope(tenant_id=tenancy.PLATFORM_TENANT_ID)
KEPT_AFTER_END = timedelta(days=1)


class Pairing(Enum):
    """How it stands with a tablet that waits."""

    WAITING = "waiting"
    READY = "ready"
    DENIED = "denied"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTablet:
    """What a tablet keeps while it waits, and the code it shows."""

    secret: str = field(repr=False)
    user_code: str
    over_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingView:
    """A tablet that waits, as whoever is asked sees it."""

    agent: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTerminal:
    """What a tablet keeps from now on."""

    tenant_id: UUID
    terminal_id: UUID
    secret: str = field(repr=False)


def start_pairing(user_agent: str) -> WaitingTablet:
    """Let a tablet wait until somebody says which shop it is of."""
    secret, life = new_code(), timedelta(seconds=PAIRING_LIFE_S)

    def row(work: Work, user_code_hash: bytes) -> Insert:
        return insert(PairingRow).values(
            tenant_id=work.tenant_id,
            secret_hash=hash_secret(secret),
            user_code_hash=user_code_hash,
            agent=identity.name_agent(user_agent),
            created_at=work.at,
            expires_at=work.at + life,
        )

    user_code, at = identity.draw_user_code(row)
    return WaitingTablet(secret=secret, user_code=user_code, over_at=at + life)


def _waiting(work: Work, user_code: str) -> PairingRow:
    row = work.session.scalars(
        sa.select(PairingRow)
        .where(
            PairingRow.tenant_id == work.tenant_id,
            PairingRow.user_code_hash == identity.hash_user_code(user_code),
            PairingRow.expires_at > work.at,
            PairingRow.terminal_id.is_(None),
            PairingRow.denied_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise PairingNotFound
    return row


def find_pairing(user_code: str) -> PairingView:
    """Return the tablet that waits with a code.

    Raises: PairingNotFound.
    """
    with unit_of_work(PLATFORM) as work:
        row = _waiting(work, user_code)
        return PairingView(agent=row.agent, created_at=row.created_at)


def approve_pairing(scope: Scope, user_code: str, shop_id: UUID, name: str) -> UUID:
    """Make the tablet that waits with a code one of a shop, and return its id.

    Whoever calls has made sure that the shop is one of the tenant.  The tablet itself comes last:
    if it fails, the code is used up and lets nobody in.
    Locks: the membership of whoever says yes; the waiting tablet.
    Raises: PairingNotFound, TerminalsFull, SessionOver, NameUnfit.
    """
    name = identity.check_name(name)
    with unit_of_work(scope) as work:
        _check_room(work, shop_id)
    terminal_id = new_id()
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        row = _waiting(work, user_code)
        row.home_tenant_id, row.terminal_id = scope.tenant_id, terminal_id
        agent = row.agent
    with unit_of_work(scope) as work:
        _check_room(work, shop_id)
        work.session.add(
            TerminalRow(
                tenant_id=work.tenant_id,
                id=terminal_id,
                shop_id=shop_id,
                name=name,
                agent=agent,
                paired_by=work.scope.actor.id,
                created_at=work.at,
                seen_at=work.at,
                expires_at=work.at + timedelta(seconds=TERMINAL_LIFE_S),
            )
        )
        work.session.flush()
        audit.record(
            work,
            action="terminal.paired",
            subject=f"terminal:{terminal_id}",
            details={"shop": str(shop_id), "name": name, "agent": agent},
        )
    return terminal_id


def _check_room(work: Work, shop_id: UUID) -> None:
    identity.check_may_still(work, KEEPING_TILLS, shop_id=shop_id)
    count = work.session.execute(
        sa.select(sa.func.count()).where(is_connected(work), TerminalRow.shop_id == shop_id)
    ).scalar_one()
    if count >= TERMINALS_MAX:
        raise TerminalsFull(most=TERMINALS_MAX)


def deny_pairing(scope: Scope, user_code: str) -> None:
    """Tell a tablet that nobody lets it in.

    Locks: the waiting tablet.
    Raises: PairingNotFound.
    """
    with unit_of_work(replace(PLATFORM, actor=scope.actor)) as work:
        _waiting(work, user_code).denied_at = work.at


def see_pairing(secret: str) -> Pairing:
    """Return how it stands with a tablet; a look takes nothing."""
    return _look(secret)[0]


def _look(secret: str) -> tuple[Pairing, UUID | None, UUID | None]:
    with unit_of_work(PLATFORM) as work:
        row = work.session.get(PairingRow, (work.tenant_id, hash_secret(secret)))
        if row is None or row.expires_at <= work.at:
            return Pairing.OVER, None, None
        if row.denied_at is not None:
            return Pairing.DENIED, None, None
        state = Pairing.WAITING if row.terminal_id is None else Pairing.READY
        return state, row.home_tenant_id, row.terminal_id


def take_pairing(secret: str) -> PairedTerminal | Pairing:
    """Return the secret of a tablet that was let in, or how it stands with it.

    An answer that was lost is given again, until the tablet has shown the secret once.
    Locks: the tablet's row.
    """
    still, tenant_id, terminal_id = _look(secret)
    if still is not Pairing.READY or tenant_id is None or terminal_id is None:
        return still
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        terminal = work.session.scalars(
            sa.select(TerminalRow)
            .where(is_connected(work), TerminalRow.id == terminal_id)
            .with_for_update()
        ).one_or_none()
        if terminal is None:
            return Pairing.WAITING
        if terminal.exchanged_at is not None:
            return Pairing.OVER
        held = new_code()
        terminal.before_hash, terminal.secret_hash = terminal.secret_hash, hash_secret(held)
        terminal.seen_at = work.at
    return PairedTerminal(tenant_id=tenant_id, terminal_id=terminal_id, secret=held)


def purge_pairings(work: Work) -> int:
    """Delete waiting tablets whose time is long over; ``work`` is of the platform tenant."""
    return rows_changed(
        work.session.execute(
            sa.delete(PairingRow).where(
                PairingRow.tenant_id == work.tenant_id,
                PairingRow.expires_at < work.at - KEPT_AFTER_END,
            )
        )
    )
