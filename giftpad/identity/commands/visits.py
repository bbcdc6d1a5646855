"""Visits: an operator in one tenant for a while, with a reason that the tenant reads.

A visit is a session of its own, with a new secret, that proves who its person is as the one before
did.  It ends by its time, by its person, by an owner of the tenant, and with the role in the
platform that it came from.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, tenancy
from giftpad.identity.commands.managing import check_manages
from giftpad.identity.commands.sessions import OpenedSession, open_session, revoke_sessions_in
from giftpad.identity.commands.visiting import close_visit, lock_visit, note_end
from giftpad.identity.errors import SessionOver, VisitClosed, VisitNotFound, VisitUnfit
from giftpad.identity.models import SessionRow, VisitRow
from giftpad.identity.queries import (
    PLATFORM,
    find_membership,
    is_running,
    person_actor,
    running_of,
)
from giftpad.identity.rules import (
    VISIT_LASTS_S,
    VISIT_REASON_LEAST,
    VISIT_REASON_MOST,
    VISITS_AS,
    Membership,
)
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work

BEGINS_WITHIN = timedelta(minutes=1)
"""A visit younger than this may have no session yet."""


def begin_visit(
    person_id: UUID,
    session_id: UUID,
    tenant_id: UUID,
    *,
    reason: str,
    lasts_s: int,
    user_agent: str = "",
) -> OpenedSession:
    """Let an operator into a tenant for a while, from a session of theirs in the platform.

    Raises: VisitUnfit, VisitNotFound, VisitClosed, SessionOver.
    """
    reason = " ".join(reason.split())
    if not VISIT_REASON_LEAST <= len(reason) <= VISIT_REASON_MOST or lasts_s not in VISIT_LASTS_S:
        raise VisitUnfit(least=VISIT_REASON_LEAST, most=VISIT_REASON_MOST)
    own = _own_role(person_id, session_id)
    tenant = tenancy.find_tenant(tenant_id)
    if tenant is None or tenant.id == PLATFORM.tenant_id:
        raise VisitNotFound
    if tenant.is_suspended:
        raise VisitClosed
    visit_id, role = new_id(), VISITS_AS[own.role]
    actor = person_actor(person_id, None, visit_id)
    with unit_of_work(Scope(tenant_id=tenant_id, actor=actor)) as work:
        ends_at = work.at + timedelta(seconds=lasts_s)
        work.session.add(
            VisitRow(
                tenant_id=work.tenant_id,
                id=visit_id,
                person_id=person_id,
                from_membership_id=own.id,
                role=role,
                reason=reason,
                began_at=work.at,
                ends_at=ends_at,
            )
        )
        work.session.flush()
        audit.record(
            work,
            action="visit.began",
            subject=f"person:{person_id}",
            details={"role": role, "reason": reason, "ends_at": ends_at.isoformat()},
        )
    try:
        return open_session(
            person_id,
            tenant_id,
            visit_id,
            user_agent=user_agent,
            follows=session_id,
            is_visit=True,
        )
    except SessionOver:
        close_visit(tenant_id, visit_id, person_id)
        raise


def _own_role(person_id: UUID, session_id: UUID) -> Membership:
    """Return the role in the platform by which somebody is signed in.

    Raises: SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        row = work.session.scalars(
            sa.select(SessionRow).where(
                is_running(work),
                SessionRow.id == session_id,
                SessionRow.person_id == person_id,
                SessionRow.home_tenant_id == work.tenant_id,
            )
        ).one_or_none()
    own = find_membership(PLATFORM.tenant_id, row.membership_id) if row is not None else None
    if own is None or own.person_id != person_id or own.role not in VISITS_AS:
        raise SessionOver
    return own


def end_visit(scope: Scope, visit_id: UUID) -> None:
    """End a visit at once, as somebody who manages the members of the tenant.

    Who is out already is signed out again: a first try may have stopped between the two.
    Locks: the visit, and the membership of who ends it.
    Raises: SessionOver, VisitNotFound.
    """
    with unit_of_work(scope) as work:
        check_manages(work)
        visit = lock_visit(work, visit_id)
        if visit is None:
            raise VisitNotFound
        if visit.ended_at is None:
            note_end(work, visit, work.at)
    revoke_sessions_in(scope.actor, visit.person_id, visit_id)


def close_visits(scope: Scope) -> int:
    """Put on record that those visits of a tenant are over whose session is; return how many.

    A session may end by its time, by a new password, or because its person lost their role.
    """
    with unit_of_work(scope) as work:
        rows = work.session.execute(
            sa.select(VisitRow.id, VisitRow.person_id).where(
                VisitRow.tenant_id == work.tenant_id,
                VisitRow.ended_at.is_(None),
                VisitRow.began_at < work.at - BEGINS_WITHIN,
            )
        )
        unended = {row.id: row.person_id for row in rows}
    over = set(unended) - running_of(unended)
    for visit_id in sorted(over):
        close_visit(scope.tenant_id, visit_id, unended[visit_id])
    return len(over)
