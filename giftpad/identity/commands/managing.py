"""Whether somebody may do something still, by their row and not by their token.

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


def _roles_that_may(permission: str) -> list[str]:
    return sorted(role for role, permissions in ROLES.items() if permission in permissions)


MANAGERS = _roles_that_may(MANAGING)


def check_manages(work: Work) -> None:
    """Refuse a person whose roles in this tenant do not let them manage members any more.

    Locks: the membership, until the end of ``work``.
    Raises: SessionOver.
    """
    check_may_still(work, MANAGING)


def check_may_still(work: Work, permission: str, *, shop_id: UUID | None = None) -> None:
    """Refuse a person whose roles, in the tenant or in this shop, do not let them do it any more.

    A machine and Giftpad itself have no membership that could end.
    Locks: the membership, until the end of ``work``.
    Raises: SessionOver.
    """
    actor = work.scope.actor
    if actor.kind != "person":
        return
    theirs = work.session.scalars(
        sa.select(MembershipRow.id)
        .where(
            MembershipRow.tenant_id == work.tenant_id,
            MembershipRow.person_id == UUID(actor.id),
            MembershipRow.role.in_(_roles_that_may(permission)),
            sa.or_(MembershipRow.shop_id.is_(None), MembershipRow.shop_id == shop_id),
        )
        .order_by(MembershipRow.id)
        .with_for_update(read=True)
    ).first()
    if theirs is None:
        raise SessionOver
