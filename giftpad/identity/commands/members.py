"""Members: their roles changed and ended, and never the last owner's.

Whoever may invite no more leaves no invitation behind: one in the pocket would undo their end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from giftpad import audit
from giftpad.identity.commands.managing import MANAGERS, check_manages
from giftpad.identity.commands.people import role_of
from giftpad.identity.commands.revocations import disbelieve_sessions
from giftpad.identity.commands.sessions import revoke_sessions_in
from giftpad.identity.errors import LastOwner, MemberExists, MemberNotFound, OwnRole
from giftpad.identity.models import InvitationRow, MembershipRow
from giftpad.identity.queries import is_open
from giftpad.identity.rules import check_role
from giftpad.kernel.work import Scope, Work, savepoint, unit_of_work

OWNER = "owner"

Ending = Callable[[Work, UUID], list[UUID]]
"""Ends what another package keeps for a membership; returns the sessions that are over by it."""


class _Bound:
    """What ends with a membership, beside what identity keeps itself."""

    endings: ClassVar[tuple[Ending, ...]] = ()


def bind_endings(*endings: Ending) -> None:
    """Say what ends with a membership that ends or changes, in the transaction that does it."""
    _Bound.endings = endings


def _end_with(work: Work, membership_id: UUID) -> list[UUID]:
    return [each for ending in _Bound.endings for each in ending(work, membership_id)]


def change_role(scope: Scope, membership_id: UUID, role: str, shop_id: UUID | None = None) -> None:
    """Give a member another role; they sign in anew, and then have it.

    What they invited others to ends, if they may invite no more.  Who has the role already is
    signed out too: a first try may have stopped between the role and the sessions.  What other
    packages keep for a membership ends with it.
    Locks: whoever may manage members, then the member, then what ends with it.
    Raises: RoleUnknown, RoleShopMismatch, SessionOver, MemberNotFound, OwnRole, LastOwner,
    MemberExists.
    """
    check_role(role, shop_id)
    with unit_of_work(scope) as work:
        row = _lock(work, membership_id, is_owner_after=role == OWNER)
        if (row.role, row.shop_id) != (role, shop_id):
            _give_role(work, row, role, shop_id)
        ended = _end_with(work, membership_id)
    revoke_sessions_in(scope.actor, row.person_id, membership_id)
    disbelieve_sessions(scope.actor, ended)


def _give_role(work: Work, row: MembershipRow, role: str, shop_id: UUID | None) -> None:
    was = role_of(row.role, row.shop_id)
    try:
        with savepoint(work):
            row.role, row.shop_id = role, shop_id
            work.session.flush()
    except IntegrityError as error:
        raise MemberExists from error
    if role not in MANAGERS:
        _withdraw_invitations(work, row.person_id)
    audit.record(
        work,
        action="member.role_changed",
        subject=f"person:{row.person_id}",
        details=role_of(role, shop_id) | {"was": was},
    )


def remove_member(scope: Scope, membership_id: UUID) -> None:
    """Take a member's role away; whoever is signed in with it is out within 30 seconds.

    What they invited others to, and nobody has taken yet, ends with it, and so does what other
    packages keep for a membership.
    Locks: whoever may manage members, then the member, then what ends with it.
    Raises: SessionOver, MemberNotFound, OwnRole, LastOwner.
    """
    with unit_of_work(scope) as work:
        row = _lock(work, membership_id, is_owner_after=False)
        work.session.delete(row)
        work.session.flush()
        _withdraw_invitations(work, row.person_id)
        audit.record(
            work,
            action="member.removed",
            subject=f"person:{row.person_id}",
            details=role_of(row.role, row.shop_id),
        )
        ended = _end_with(work, membership_id)
    revoke_sessions_in(scope.actor, row.person_id, membership_id)
    disbelieve_sessions(scope.actor, ended)


def _withdraw_invitations(work: Work, person_id: UUID) -> None:
    """Take back what somebody has invited others to and nobody has taken yet."""
    theirs = InvitationRow.invited_by == str(person_id)
    closed = work.session.scalars(
        sa.update(InvitationRow)
        .where(is_open(work), theirs)
        .values(revoked_at=work.at)
        .returning(InvitationRow.id)
    )
    for invitation_id in sorted(closed):
        audit.record(work, action="invitation.revoked", subject=f"invitation:{invitation_id}")


def _lock(work: Work, membership_id: UUID, *, is_owner_after: bool) -> MembershipRow:
    """Return a membership that the actor may change, with every manager's locked before it."""
    mine = MembershipRow.tenant_id == work.tenant_id
    managers = work.session.execute(
        sa.select(MembershipRow.id, MembershipRow.role)
        .where(mine, MembershipRow.role.in_(MANAGERS))
        .order_by(MembershipRow.id)
        .with_for_update()
    ).all()
    check_manages(work)
    owners = {found.id for found in managers if found.role == OWNER}
    row = work.session.scalars(
        sa.select(MembershipRow).where(mine, MembershipRow.id == membership_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise MemberNotFound
    actor = work.scope.actor
    if actor.kind == "person" and actor.id == str(row.person_id):
        raise OwnRole
    if not is_owner_after and owners == {row.id}:
        raise LastOwner
    return row
