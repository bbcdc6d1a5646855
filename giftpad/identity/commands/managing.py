"""Whether somebody may manage the members still, by their row and not by their token.

A token is believed for up to 30 seconds after its session has ended, and whoever was just removed
must not use them to come back.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from giftpad.identity.errors import SessionOver
from giftpad.identity.models import MembershipRow
from giftpad.identity.rules import ROLES
from giftpad.kernel.work import Work

MANAGING = "members:manage"
KEEPING_TILLS = "tills:manage"
MANAGERS = sorted(role for role, permissions in ROLES.items() if MANAGING in permissions)


def check_manages(work: Work) -> None:
    """Refuse a person whose roles in this tenant do not let them manage members any more.

    A machine and Giftpad itself have no membership that could end.
    Locks: the membership, until the end of ``work``.
    Raises: SessionOver.
    """
    actor = work.scope.actor
    if actor.kind != "person":
        return
    managing = work.session.scalars(
        sa.select(MembershipRow.id)
        .where(
            MembershipRow.tenant_id == work.tenant_id,
            MembershipRow.person_id == UUID(actor.id),
            MembershipRow.role.in_(MANAGERS),
        )
        .order_by(MembershipRow.id)
        .with_for_update(read=True)
    ).first()
    if managing is None:
        raise SessionOver


def check_keeps_tills(work: Work, shop_id: UUID) -> None:
    """Refuse a person whose roles do not let them keep the tablets of this shop any more.

    Locks: the membership, until the end of ``work``.
    Raises: SessionOver.
    """
    actor = work.scope.actor
    if actor.kind != "person":
        return
    keepers = [role for role, permissions in ROLES.items() if KEEPING_TILLS in permissions]
    keeping = work.session.scalars(
        sa.select(MembershipRow.id)
        .where(
            MembershipRow.tenant_id == work.tenant_id,
            MembershipRow.person_id == UUID(actor.id),
            MembershipRow.role.in_(keepers),
            sa.or_(MembershipRow.shop_id.is_(None), MembershipRow.shop_id == shop_id),
        )
        .order_by(MembershipRow.id)
        .with_for_update(read=True)
    ).first()
    if keeping is None:
        raise SessionOver
