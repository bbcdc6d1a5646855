"""Clerks of a shop: added by name and PIN, unlocked and removed; the PIN they type at a tablet.

A try is counted before it is judged, in a transaction of its own that has committed by then: an
answer that is lost was a try as well, and of many at once no more than are left are judged.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, identity, tenancy
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, Work, unit_of_work
from giftpad.tills.commands.terminals import (
    OpenedTill,
    actor_of,
    clear_seats,
    is_member_still,
    meet_terminal,
    take_seat,
)
from giftpad.tills.errors import ClerkNotFound, ClerksFull, NoPinYet, PinLocked, PinWrong
from giftpad.tills.models import ClerkRow, TerminalRow, TillRow
from giftpad.tills.queries import Terminal, clerk_place, hash_pin, is_pin
from giftpad.tills.rules import CLERKS_MAX, KEEPING_TILLS, PIN_FAILURES_MAX, check_pin

FAILURES_BY_TERMINAL_MAX = 20


def _present(work: Work, shop_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(
        ClerkRow.tenant_id == work.tenant_id,
        ClerkRow.shop_id == shop_id,
        ClerkRow.removed_at.is_(None),
    )


def add_clerk(
    scope: Scope, shop_id: UUID, name: str, pin: str, *, membership_id: UUID | None = None
) -> UUID:
    """Let somebody type a PIN at the tablets of a shop, and return their id.

    With a membership of that shop they act as themselves; else the name is all that is known of
    them.  With the first one the tablets ask for a PIN.
    Locks: the membership of whoever does it.
    Raises: SessionOver, NameUnfit, PinUnfit, PinTrivial, ClerksFull, MemberNotFound.
    """
    pin, clerk_id = check_pin(pin), new_id()
    member = identity.find_member(scope, membership_id) if membership_id is not None else None
    if member is not None and member.shop_id != shop_id:
        raise identity.MemberNotFound
    name = identity.check_name(member.name if member is not None else name)
    pin_hash, kid = hash_pin(scope.tenant_id, clerk_id, pin)
    with unit_of_work(scope) as work:
        identity.check_may_still(work, KEEPING_TILLS, shop_id=shop_id)
        count = _count(work, shop_id)
        if count >= CLERKS_MAX:
            raise ClerksFull(most=CLERKS_MAX)
        sealed = tenancy.seal_text(work.tenant_id, clerk_place(work.tenant_id, clerk_id), name)
        work.session.add(
            ClerkRow(
                tenant_id=work.tenant_id,
                id=clerk_id,
                shop_id=shop_id,
                name_sealed=sealed,
                membership_id=membership_id,
                person_id=member.person_id if member is not None else None,
                pin_hash=pin_hash,
                pin_kid=kid,
                created_at=work.at,
            )
        )
        work.session.flush()
        is_first = count == 0 and work.session.get(TillRow, (work.tenant_id, shop_id)) is None
        ended = _set_asking(work, shop_id, asks=True) if is_first else []
        audit.record(
            work, action="clerk.added", subject=f"clerk:{clerk_id}", details={"shop": str(shop_id)}
        )
    identity.disbelieve_sessions(scope.actor, ended)
    return clerk_id


def _count(work: Work, shop_id: UUID) -> int:
    return work.session.execute(
        sa.select(sa.func.count()).where(_present(work, shop_id))
    ).scalar_one()


def _lock(work: Work, shop_id: UUID, clerk_id: UUID) -> ClerkRow:
    identity.check_may_still(work, KEEPING_TILLS, shop_id=shop_id)
    row = work.session.scalars(
        sa.select(ClerkRow)
        .where(_present(work, shop_id), ClerkRow.id == clerk_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise ClerkNotFound
    return row


def set_pin(scope: Scope, shop_id: UUID, clerk_id: UUID, pin: str) -> None:
    """Give a clerk another PIN; whoever is at a tablet with the old one is out.

    Locks: the membership of whoever does it, the clerk, their tablets.
    Raises: SessionOver, ClerkNotFound, PinUnfit, PinTrivial.
    """
    pin_hash, kid = hash_pin(scope.tenant_id, clerk_id, check_pin(pin))
    with unit_of_work(scope) as work:
        row = _lock(work, shop_id, clerk_id)
        row.pin_hash, row.pin_kid, row.failures = pin_hash, kid, 0
        ended = clear_seats(work, TerminalRow.clerk_id == clerk_id)
        work.session.flush()
        audit.record(work, action="clerk.pin_set", subject=f"clerk:{clerk_id}")
    identity.disbelieve_sessions(scope.actor, ended)


def unlock_clerk(scope: Scope, shop_id: UUID, clerk_id: UUID) -> None:
    """Let a clerk try again whose name too many wrong PINs were typed under.

    Locks: the membership of whoever does it, the clerk.
    Raises: SessionOver, ClerkNotFound.
    """
    with unit_of_work(scope) as work:
        row = _lock(work, shop_id, clerk_id)
        row.failures = 0
        work.session.flush()
        audit.record(work, action="clerk.unlocked", subject=f"clerk:{clerk_id}")


def remove_clerk(scope: Scope, shop_id: UUID, clerk_id: UUID) -> None:
    """Let a clerk type no PIN any more; at a tablet they are out.

    The name of whoever has no account is kept: payments and the audit log are of them.
    Locks: the membership of whoever does it, the clerk, their tablets.
    Raises: SessionOver, ClerkNotFound.
    """
    with unit_of_work(scope) as work:
        ended = _remove(work, [_lock(work, shop_id, clerk_id)])
    identity.disbelieve_sessions(scope.actor, ended)


def end_clerks_of(work: Work, membership_id: UUID) -> list[UUID]:
    """Let nobody type a PIN for a membership any more; return the sessions at tablets that end.

    Locks: the clerks, their tablets.
    """
    rows = work.session.scalars(
        sa.select(ClerkRow)
        .where(
            ClerkRow.tenant_id == work.tenant_id,
            ClerkRow.membership_id == membership_id,
            ClerkRow.removed_at.is_(None),
        )
        .order_by(ClerkRow.id)
        .with_for_update()
    ).all()
    return _remove(work, list(rows))


def _remove(work: Work, rows: list[ClerkRow]) -> list[UUID]:
    ended = clear_seats(work, TerminalRow.clerk_id.in_([row.id for row in rows]))
    for row in rows:
        if row.person_id is not None:  # who acted as themselves is known without this row
            work.session.delete(row)
        else:
            row.removed_at, row.pin_hash = work.at, ""
    work.session.flush()
    for row in rows:
        audit.record(
            work,
            action="clerk.removed",
            subject=f"clerk:{row.id}",
            details={"shop": str(row.shop_id)},
        )
    return ended


def ask_for_pin(scope: Scope, shop_id: UUID, *, asks: bool) -> None:
    """Say whether whoever takes a tablet of a shop has to type a PIN.

    Locks: the membership of whoever does it, the tablets that nobody has typed a PIN on.
    Raises: SessionOver, NoPinYet.
    """
    with unit_of_work(scope) as work:
        identity.check_may_still(work, KEEPING_TILLS, shop_id=shop_id)
        if asks and not _count(work, shop_id):
            raise NoPinYet
        ended = _set_asking(work, shop_id, asks=asks)
        audit.record(
            work,
            action="till.pin_asked" if asks else "till.pin_not_asked",
            subject=f"shop:{shop_id}",
        )
    identity.disbelieve_sessions(scope.actor, ended)


def _set_asking(work: Work, shop_id: UUID, *, asks: bool) -> list[UUID]:
    """Keep whether a PIN is asked for; return the sessions at tablets that end by it."""
    values = {"asks_pin": asks, "changed_at": work.at}
    work.session.execute(
        insert(TillRow)
        .values(tenant_id=work.tenant_id, shop_id=shop_id, **values)
        .on_conflict_do_update(index_elements=["tenant_id", "shop_id"], set_=values)
    )
    if not asks:
        return []
    return clear_seats(work, TerminalRow.shop_id == shop_id, TerminalRow.clerk_id.is_(None))


def enter_pin(
    tenant_id: UUID, terminal_id: UUID, secret: str, *, clerk_id: UUID, pin: str
) -> OpenedTill:
    """Open a tablet for the clerk whose PIN this is.

    Locks: the clerk's row; then it again, and the tablet's.
    Raises: TerminalOver, PinWrong, PinLocked, SignInThrottled.
    """
    found = meet_terminal(tenant_id, terminal_id, secret)
    proved = identity.prove_secret(
        {f"pin:terminal:{terminal_id}": FAILURES_BY_TERMINAL_MAX},
        lambda: _judge(found, clerk_id, pin),
    )
    if isinstance(proved, ClerkRow):
        return _seat(found, secret, proved)
    with unit_of_work(Scope(tenant_id=tenant_id)) as work:
        row = work.session.get(ClerkRow, (work.tenant_id, clerk_id))
        failures = row.failures if row is not None else 0
    if failures >= PIN_FAILURES_MAX:
        raise PinLocked
    raise PinWrong(left=PIN_FAILURES_MAX - failures)


def _judge(found: Terminal, clerk_id: UUID, pin: str) -> ClerkRow | None:
    """Count a try, then judge it; None if it is wrong or may not be made.

    Locks: the clerk's row.
    """
    with unit_of_work(Scope(tenant_id=found.tenant.id)) as work:
        counted = work.session.scalars(
            sa.update(ClerkRow)
            .where(
                _present(work, found.shop_id),
                ClerkRow.id == clerk_id,
                ClerkRow.failures < PIN_FAILURES_MAX,
            )
            .values(failures=ClerkRow.failures + 1)
            .returning(ClerkRow)
        ).one_or_none()
    if counted is None:
        return None
    if is_pin(found.tenant.id, counted.id, pin, (counted.pin_hash, counted.pin_kid)):
        return counted
    if counted.failures >= PIN_FAILURES_MAX:
        _note_locked(found, counted)
    return None


def _note_locked(found: Terminal, clerk: ClerkRow) -> None:
    scope = Scope(tenant_id=found.tenant.id, actor=_terminal_actor(found))
    with unit_of_work(scope) as work:
        audit.record(
            work,
            action="clerk.locked",
            subject=f"clerk:{clerk.id}",
            details={"shop": str(found.shop_id), "terminal": str(found.id)},
        )


def _terminal_actor(found: Terminal) -> Actor:
    return actor_of(found.shop_id, found.id, None)


def _seat(found: Terminal, secret: str, proved: ClerkRow) -> OpenedTill:
    def sit(work: Work, terminal: TerminalRow) -> ClerkRow:
        """Forget the tries, unless the PIN that was right is another by now."""
        row = work.session.scalars(
            sa.update(ClerkRow)
            .where(
                _present(work, terminal.shop_id),
                ClerkRow.id == proved.id,
                ClerkRow.pin_hash == proved.pin_hash,
            )
            .values(failures=0)
            .returning(ClerkRow)
        ).one_or_none()
        if row is None or not is_member_still(work, row):
            raise PinWrong(left=PIN_FAILURES_MAX)
        return row

    actor = actor_of(found.shop_id, found.id, proved)
    return take_seat(found, secret, actor, sit, clerk_id=proved.id)
