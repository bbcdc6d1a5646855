"""Tablets of shops: the secret each one keeps, who is at it, and its end in one tap.

The secret is exchanged at each use.  The one before the last is good as long as the last was never
shown, because an answer may have been lost; any other that was exchanged ends the tablet: one of
the two that hold it is a thief's.

Source: RFC 9700, section 4.14.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, identity
from giftpad.kernel.bearer import hash_secret, is_secret, new_code
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, Work, unit_of_work
from giftpad.tills.errors import TerminalNotFound, TerminalOver, TillLocked
from giftpad.tills.models import ClerkRow, TerminalRow
from giftpad.tills.queries import Terminal, asks_pin, clerk_name, find_terminal, holds, is_connected
from giftpad.tills.rules import KEEPING_TILLS, TERMINAL_LEEWAY_S, TILL_OPEN_MAX_S, TILL_ROLE


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTill:
    """What a tablet keeps while somebody is at it: its next secret, and a token for a while."""

    tenant_id: UUID
    terminal_id: UUID
    secret: str = field(repr=False)
    session_id: UUID
    token: str = field(repr=False)
    token_over_at: int
    name: str
    """Of the clerk, or of the tablet where no PIN is asked for."""
    terminal_name: str
    has_clerk: bool


Seat = Callable[[Work, TerminalRow], ClerkRow | None]
"""Says who is at a tablet, in the transaction that opens it; nobody is the tablet itself."""


def actor_of(shop_id: UUID, terminal_id: UUID, clerk: ClerkRow | None) -> Actor:
    """Return as whom somebody at a tablet acts: as themselves, a clerk, or as the tablet."""
    return identity.person_actor(_actor_id(terminal_id, clerk), shop_id)


def _actor_id(terminal_id: UUID, clerk: ClerkRow | None) -> UUID:
    return terminal_id if clerk is None else clerk.person_id or clerk.id


def meet_terminal(tenant_id: UUID, terminal_id: UUID, secret: str) -> Terminal:
    """Return the tablet that shows its secret, which is not exchanged yet.

    One that was exchanged before the last ends the tablet, as it does when it is used.
    Locks: the tablet's row.
    Raises: TerminalOver.
    """
    found = find_terminal(tenant_id, terminal_id)
    actor = actor_of(found.shop_id, found.id, None)
    with unit_of_work(Scope(tenant_id=tenant_id, actor=actor)) as work:
        row = _connected(work, terminal_id)
        is_known = not _is_stolen(work, row, secret)
    if not is_known:
        _believe_no_more(actor, row.session_id)
        raise TerminalOver
    return found


def open_till(tenant_id: UUID, terminal_id: UUID, secret: str) -> OpenedTill:
    """Let a tablet itself take payments, where no PIN is asked for.

    Raises: TerminalOver, TillLocked.
    """

    def nobody(work: Work, row: TerminalRow) -> None:
        if asks_pin(work, row.shop_id):
            raise TillLocked

    found = find_terminal(tenant_id, terminal_id)
    return take_seat(found, secret, actor_of(found.shop_id, found.id, None), nobody)


def take_seat(
    found: Terminal, secret: str, actor: Actor, seat: Seat, *, clerk_id: UUID | None = None
) -> OpenedTill:
    """Begin a session at a tablet; whoever was there before is out, at once in this process.

    Locks: the row of the clerk who sits down, if it is one, then the tablet's.
    Raises: TerminalOver, and what ``seat`` raises.
    """
    session_id = new_id()
    with unit_of_work(Scope(tenant_id=found.tenant.id, actor=actor)) as work:
        if clerk_id is not None:  # before the tablet, as whoever removes a clerk locks them
            work.session.get(ClerkRow, (work.tenant_id, clerk_id), with_for_update=True)
        row, held = _exchange(work, found.id, secret)
        before = None
        if held:
            clerk = seat(work, row)
            before, row.session_id = row.session_id, session_id
            row.clerk_id, row.opened_at = (clerk.id if clerk is not None else None), work.at
            work.session.flush()
            audit.record(
                work,
                action="till.opened",
                subject=f"terminal:{row.id}",
                details={"name": row.name, "pin": clerk is not None},
            )
            opened = _opened(found, row, held, clerk)
    if not held:
        _believe_no_more(actor, row.session_id)
        raise TerminalOver
    if before is not None:
        _believe_no_more(actor, before)
    return opened


def renew_till(tenant_id: UUID, terminal_id: UUID, secret: str, session_id: UUID) -> OpenedTill:
    """Make a new token for whoever is at a tablet, if they may be still.

    Locks: the tablet's row.
    Raises: TerminalOver, TillLocked.
    """
    found = find_terminal(tenant_id, terminal_id)
    actor = actor_of(found.shop_id, found.id, None)
    with unit_of_work(Scope(tenant_id=tenant_id, actor=actor)) as work:
        row, held = _exchange(work, terminal_id, secret)
        if held:
            clerk = _still_there(work, row, session_id)
            opened = _opened(found, row, held, clerk)
    if not held:
        _believe_no_more(actor, row.session_id)
        raise TerminalOver
    return opened


def _still_there(work: Work, row: TerminalRow, session_id: UUID) -> ClerkRow | None:
    """Return the clerk who is at a tablet, None where no PIN is asked for.

    Raises: TillLocked.
    """
    if row.session_id != session_id or row.opened_at is None:
        raise TillLocked
    if row.clerk_id is None:
        if asks_pin(work, row.shop_id):
            raise TillLocked
        return None
    clerk = work.session.get(ClerkRow, (work.tenant_id, row.clerk_id))
    is_long = row.opened_at <= work.at - timedelta(seconds=TILL_OPEN_MAX_S)
    is_gone = clerk is None or clerk.removed_at is not None or not is_member_still(work, clerk)
    if is_gone or is_long:
        raise TillLocked
    return clerk


def is_member_still(work: Work, clerk: ClerkRow) -> bool:
    """Whether a clerk who is a member is one of the same shop still; others need be no member."""
    if clerk.membership_id is None:
        return True
    return identity.is_member_of(work, clerk.membership_id, clerk.shop_id)


def _exchange(work: Work, terminal_id: UUID, secret: str) -> tuple[TerminalRow, str]:
    """Take a tablet's secret and return the next one; "" if it was a thief who showed it.

    Raises: TerminalOver.
    """
    row = _connected(work, terminal_id)
    if _is_stolen(work, row, secret):
        return row, ""
    shown_at = row.exchanged_at
    row.seen_at = work.at
    is_last = row.secret_hash is not None and is_secret(secret, row.secret_hash)
    leeway = timedelta(seconds=TERMINAL_LEEWAY_S)
    if not is_last and shown_at is not None and work.at < shown_at + leeway:
        return row, secret  # two requests of one browser at once
    held = new_code()
    row.before_hash, row.secret_hash = hash_secret(secret), hash_secret(held)
    row.exchanged_at = work.at
    return row, held


def _connected(work: Work, terminal_id: UUID) -> TerminalRow:
    row = work.session.scalars(
        sa.select(TerminalRow)
        .where(is_connected(work), TerminalRow.id == terminal_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise TerminalOver
    return row


def _is_stolen(work: Work, row: TerminalRow, secret: str) -> bool:
    """Whether a secret was exchanged too long ago to be shown; the tablet ends if so.

    Raises: TerminalOver, if it was never used: then its code was taken again, and nothing stolen.
    """
    if holds(row, secret):
        return False
    if row.exchanged_at is None:
        raise TerminalOver
    _end(work, row, "its secret was shown twice")
    return True


def _opened(found: Terminal, row: TerminalRow, held: str, clerk: ClerkRow | None) -> OpenedTill:
    assert row.session_id is not None
    seat = identity.Membership(
        id=row.id,
        person_id=_actor_id(row.id, clerk),
        tenant_id=found.tenant.id,
        org_id=found.tenant.org_id,
        role=TILL_ROLE,
        shop_id=row.shop_id,
    )
    # A PIN, or nothing, proves who is at a till, and no more than that.
    token = identity.sign_session(seat, row.session_id)
    return OpenedTill(
        tenant_id=found.tenant.id,
        terminal_id=row.id,
        secret=held,
        session_id=row.session_id,
        token=token.text,
        token_over_at=token.over_at,
        name=clerk_name(clerk) if clerk is not None else row.name,
        terminal_name=row.name,
        has_clerk=clerk is not None,
    )


def lock_till(tenant_id: UUID, terminal_id: UUID, secret: str) -> None:
    """Let whoever is at a tablet go; the next one types a PIN.

    Locks: the tablet's row.
    Raises: TerminalOver.
    """
    found = meet_terminal(tenant_id, terminal_id, secret)
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        row = _lock(work, terminal_id)
        clerk = (
            work.session.get(ClerkRow, (work.tenant_id, row.clerk_id))
            if row.clerk_id is not None
            else None
        )
        before, row.session_id, row.clerk_id = row.session_id, None, None
        actor = actor_of(found.shop_id, found.id, clerk)
    if before is None:
        return
    _believe_no_more(actor, before)
    with unit_of_work(Scope(tenant_id=tenant_id, actor=actor)) as work:
        audit.record(
            work,
            action="till.locked",
            subject=f"terminal:{terminal_id}",
            details={"name": found.name},
        )


def _lock(work: Work, terminal_id: UUID, shop_id: UUID | None = None) -> TerminalRow:
    """Return a tablet's row, locked, however it stands with it.

    Raises: TerminalNotFound.
    """
    row = work.session.get(TerminalRow, (work.tenant_id, terminal_id), with_for_update=True)
    if row is None or shop_id not in (None, row.shop_id):
        raise TerminalNotFound
    return row


def rename_terminal(scope: Scope, shop_id: UUID, terminal_id: UUID, name: str) -> None:
    """Call a tablet of a shop otherwise.

    Locks: the membership of whoever does it, then the tablet.
    Raises: SessionOver, TerminalNotFound, NameUnfit.
    """
    name = identity.check_name(name)
    with unit_of_work(scope) as work:
        identity.check_may_still(work, KEEPING_TILLS, shop_id=shop_id)
        row = _lock(work, terminal_id, shop_id)
        was, row.name = row.name, name
        work.session.flush()
        audit.record(
            work,
            action="terminal.renamed",
            subject=f"terminal:{terminal_id}",
            details={"name": name, "was": was},
        )


def end_terminal(scope: Scope, shop_id: UUID, terminal_id: UUID) -> None:
    """Shut a tablet of a shop out: at once in this process, within 30 seconds elsewhere.

    Done again it makes sure once more: a first try may have stopped between its two halves.
    Locks: the membership of whoever does it, then the tablet.
    Raises: SessionOver, TerminalNotFound.
    """
    with unit_of_work(scope) as work:
        identity.check_may_still(work, KEEPING_TILLS, shop_id=shop_id)
        row = _lock(work, terminal_id, shop_id)
        session_id = row.session_id
        if row.ended_at is None:
            _end(work, row, "its shop ended it")
    _believe_no_more(scope.actor, session_id)


def _end(work: Work, row: TerminalRow, why: str) -> None:
    row.ended_at = work.at
    work.session.flush()
    audit.record(
        work,
        action="terminal.ended",
        subject=f"terminal:{row.id}",
        details={"name": row.name, "why": why},
    )


def clear_seats(work: Work, *which: sa.ColumnElement[bool]) -> list[UUID]:
    """Let whoever is at these tablets go; return their sessions, which are over with this commit.

    Locks: the tablets' rows.
    """
    rows = work.session.scalars(
        sa.select(TerminalRow)
        .where(is_connected(work), TerminalRow.session_id.is_not(None), *which)
        .order_by(TerminalRow.id)
        .with_for_update()
    )
    ended = []
    for row in rows:
        assert row.session_id is not None
        ended.append(row.session_id)
        row.session_id = row.clerk_id = None
    return ended


def _believe_no_more(actor: Actor, session_id: UUID | None) -> None:
    identity.disbelieve_sessions(actor, [session_id] if session_id is not None else [])
