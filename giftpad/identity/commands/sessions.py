"""Sessions: a person at a browser, proved by a password once and by a secret from then on.

A session is a row in the platform tenant; the tokens made from it live for a quarter of an hour,
so what a person may do is judged anew that often, and an ended session is believed no more within
30 seconds, at once in the process that ended it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.identity.commands.authorisations import end_authorisations, follow_session
from giftpad.identity.commands.revocations import KEPT_FOR, revoke
from giftpad.identity.commands.signing import sign_session
from giftpad.identity.commands.visiting import close_visit
from giftpad.identity.errors import SecondStepMissing, SessionNotFound, SessionOver
from giftpad.identity.models import AuthorisationRow, SessionRow
from giftpad.identity.queries import (
    PLATFORM,
    find_connection,
    find_membership,
    find_running,
    get_person,
    is_password_mark,
    is_running,
    lacks_step,
    lock_link,
    lock_person,
    must_step_twice,
    open_personal,
    person_actor,
    proved_at_of,
    refresh_trust,
)
from giftpad.identity.rules import (
    FEDERATED_METHOD,
    PASSWORD_METHOD,
    SESSION_LIFE_S,
    Membership,
    add_methods,
    has_second_step,
    name_agent,
)
from giftpad.kernel.bearer import hash_secret, is_secret
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Actor, Scope, Work, rows_changed, unit_of_work

SECRET_BYTES = 32
KEPT_AFTER_END = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """What a browser keeps of a session: the secret to renew it, and a token for a while."""

    session_id: UUID
    secret: str = field(repr=False)
    token: str = field(repr=False)
    token_over_at: int
    name: str
    membership: Membership


def open_session(  # noqa: PLR0913 - each tells another thing of how they come
    person_id: UUID,
    tenant_id: UUID,
    membership_id: UUID,
    *,
    user_agent: str = "",
    proof: str | None = None,
    methods: Sequence[str] = (),
    follows: UUID | None = None,
    connection_id: UUID | None = None,
    is_visit: bool = False,
) -> OpenedSession:
    """Begin a session of a person who has proved themselves by ``methods``, in one of their roles.

    A ``proof`` that has waited for the choice of a role counts only for the password it is of.
    One that ``follows`` another session of theirs goes on with its methods; without any of its
    own it is as old as that one's proof.  Proved by a tenant's own provider, by
    ``connection_id``, they may have roles of that tenant.  A visit is no role of theirs, unless it
    ``is_visit`` that begins.
    Locks: the person's row against a new password, whose setter then finds this session, and the
    row of the link that they came by.
    Raises: SessionOver, if they do not have the role, may not sign in or have a new password;
    SecondStepMissing.
    """
    membership = find_membership(tenant_id, membership_id)
    if membership is None or not _is_of(membership, person_id, is_visit=is_visit):
        raise SessionOver
    if connection_id is not None and not _is_through(membership, connection_id):
        raise SessionOver
    must_step = must_step_twice(membership)
    session_id, secret = new_id(), secrets.token_urlsafe(SECRET_BYTES)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = lock_person(work, person_id, to_change=False)
        if person is None or not (proof is None or is_password_mark(person, proof)):
            raise SessionOver
        before = _find_proved(work, person_id, follows)
        amr = _methods(before, methods, connection_id)
        if must_step and not has_second_step(amr):
            raise SecondStepMissing
        proved_at = work.at if before is None or methods else proved_at_of(before)
        row = SessionRow(
            tenant_id=work.tenant_id,
            id=session_id,
            person_id=person_id,
            home_tenant_id=tenant_id,
            membership_id=membership_id,
            visits_from=membership.visits_from,
            secret_hash=hash_secret(secret),
            agent=name_agent(user_agent),
            amr=amr,
            proved_at=proved_at,
            created_at=work.at,
            seen_at=work.at,
            expires_at=membership.until or _end_of(work, before, is_proved=bool(methods)),
        )
        connection_id = _bind(work, row, before, connection_id)
        work.session.add(row)
    # Judged again now that the row is there: who takes the role away ends the sessions they find.
    membership = find_membership(tenant_id, membership_id)
    is_theirs = membership is not None and _is_of(membership, person_id, is_visit=is_visit)
    if membership is None or not is_theirs or not _is_through(membership, connection_id):
        _revoke(person_actor(person_id), person_id, session_id=session_id)
        raise SessionOver
    _note(membership, "session.opened", session_id)
    name = open_personal(person_id, "name_sealed", person.name_sealed)
    return _opened(session_id, secret, name, membership, proved_at=proved_at)


def _find_proved(work: Work, person_id: UUID, session_id: UUID | None) -> SessionRow | None:
    """Return the session whose proof the next one goes on with.

    Raises: SessionOver.
    """
    if session_id is None:
        return None
    row = find_running(work, person_id, session_id)
    if row is None:
        raise SessionOver
    return row


def _end_of(work: Work, before: SessionRow | None, *, is_proved: bool) -> datetime:
    """Return when a session ends: one that follows another without a proof lasts no longer."""
    end = work.at + timedelta(seconds=SESSION_LIFE_S)
    return end if before is None or is_proved or before.visits_from else min(end, before.expires_at)


def _methods(
    before: SessionRow | None, methods: Sequence[str], connection_id: UUID | None
) -> list[str]:
    """Return how somebody has proved themselves, by this session and the one it follows."""
    if before is None and connection_id is None:
        methods = methods or (PASSWORD_METHOD,)
    if connection_id is not None:
        methods = add_methods((FEDERATED_METHOD,), methods)
    return add_methods(before.amr if before is not None else (), methods)


def _bind(
    work: Work, row: SessionRow, before: SessionRow | None, connection_id: UUID | None
) -> UUID | None:
    """Bind a session to the connection it comes by, its own or the one before's; return its id.

    Whom a tenant's provider has let in goes on in that tenant only: it vouches for no other.
    Locks: the link's row.
    Raises: SessionOver.
    """
    if connection_id is not None:
        link = lock_link(work, row.person_id, connection_id)
        if link is None:
            raise SessionOver
        link.used_at = work.at
    elif before is not None and before.connection_id is not None:
        if before.home_tenant_id != row.home_tenant_id:
            raise SessionOver
        connection_id = before.connection_id
    row.connection_id = connection_id
    return connection_id


def _is_of(membership: Membership, person_id: UUID, *, is_visit: bool) -> bool:
    is_one = membership.visit_id is not None
    return membership.person_id == person_id and is_one == is_visit


def _is_through(membership: Membership, connection_id: UUID | None) -> bool:
    """Whether the connection somebody comes by, if any, is of the role's tenant and in use."""
    return connection_id is None or find_connection(membership.tenant_id, connection_id) is not None


def renew_session(session_id: UUID, secret: str) -> OpenedSession:
    """Make a new token for a session that still runs, by what its person may do now.

    One by a password alone ends where its role asks for more by now.
    Locks: the session's row.
    Raises: SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        row = _running(work, session_id, secret)
        person = get_person(work, row.person_id)
        if person is None:
            raise SessionOver
        row.seen_at = work.at
    membership = find_membership(row.home_tenant_id, row.membership_id)
    if membership is None or membership.person_id != row.person_id:
        raise SessionOver
    if lacks_step(membership, row.amr):
        raise SessionOver
    name = open_personal(person.id, "name_sealed", person.name_sealed)
    return _opened(session_id, secret, name, membership, proved_at=proved_at_of(row))


def _running(work: Work, session_id: UUID, secret: str) -> SessionRow:
    row = work.session.scalars(
        sa.select(SessionRow).where(is_running(work), SessionRow.id == session_id).with_for_update()
    ).one_or_none()
    if row is None or not is_secret(secret, row.secret_hash):
        raise SessionOver
    return row


def _opened(
    session_id: UUID, secret: str, name: str, membership: Membership, *, proved_at: datetime
) -> OpenedSession:
    token = sign_session(membership, session_id, proved_at=int(proved_at.timestamp()))
    return OpenedSession(
        session_id=session_id,
        secret=secret,
        token=token.text,
        token_over_at=token.over_at,
        name=name,
        membership=membership,
    )


def end_session(session_id: UUID, secret: str, *, followed_by: UUID | None = None) -> None:
    """Sign out: end the session that the secret belongs to, everywhere within 30 seconds.

    What clients got from it ends too, unless it is ``followed_by`` another of the same person.
    Raises: SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        row = _running(work, session_id, secret)
        _end(work, [row])
        after = (
            work.session.get(SessionRow, (work.tenant_id, followed_by))
            if followed_by is not None
            else None
        )
        if after is not None and after.person_id == row.person_id:
            follow_session(work, row.person_id, session_id, after.id)
        else:
            end_authorisations(work, row.person_id, AuthorisationRow.session_id == session_id)
    refresh_trust()
    membership = find_membership(row.home_tenant_id, row.membership_id)
    if membership is not None:
        _note(membership, "session.ended", session_id)
        if membership.visit_id is not None:
            close_visit(membership.tenant_id, membership.visit_id, membership.person_id)


def revoke_session(person_id: UUID, session_id: UUID) -> None:
    """End one session of a person from another of theirs.

    Raises: SessionNotFound.
    """
    if not _revoke(person_actor(person_id), person_id, session_id=session_id):
        raise SessionNotFound


def revoke_sessions_of(person_id: UUID, *, but: UUID | None = None) -> int:
    """End a person's sessions for them, but for the one they ask from; return how many."""
    return _revoke(person_actor(person_id), person_id, but=but)


def revoke_sessions_in(actor: Actor, person_id: UUID, membership_id: UUID) -> int:
    """End the sessions that a person has in one of their roles; return how many."""
    return _revoke(actor, person_id, membership_id=membership_id)


def end_sessions_of(
    work: Work, person_id: UUID, *, but: UUID | None = None, only: UUID | None = None
) -> int:
    """End the sessions of a person in the transaction of what ends them; return how many.

    ``work`` is of the platform tenant; whoever opened it calls ``refresh_trust`` after it.
    Locks: the sessions' rows.
    """
    return _end_those(work, person_id, but=but, session_id=only)


def end_sessions_by(
    work: Work, connection_id: UUID, *, of: UUID | None = None, but: UUID | None = None
) -> int:
    """End the sessions that a connection opened, ``of`` one person or of all; return how many.

    One is left where its person asks from it.

    ``work`` is of the platform tenant; whoever opened it calls ``refresh_trust`` after it.
    Locks: the sessions' rows.
    """
    theirs = [] if of is None else [SessionRow.person_id == of, SessionRow.id != but]
    rows = list(
        work.session.scalars(
            sa.select(SessionRow)
            .where(is_running(work), SessionRow.connection_id == connection_id, *theirs)
            .order_by(SessionRow.id)
            .with_for_update()
        )
    )
    _end(work, rows)
    for row in rows:
        end_authorisations(work, row.person_id, AuthorisationRow.session_id == row.id)
    return len(rows)


def _revoke(actor: Actor, person_id: UUID, **which: UUID | None) -> int:
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        count = _end_those(work, person_id, **which)
    refresh_trust()
    return count


def _end_those(
    work: Work,
    person_id: UUID,
    *,
    session_id: UUID | None = None,
    membership_id: UUID | None = None,
    but: UUID | None = None,
) -> int:
    """End sessions of a person and what clients got from them; return how many sessions."""
    conditions, same = [], []
    if session_id is not None:
        conditions.append(SessionRow.id == session_id)
        same.append(AuthorisationRow.session_id == session_id)
    if membership_id is not None:
        conditions.append(
            sa.or_(
                SessionRow.membership_id == membership_id, SessionRow.visits_from == membership_id
            )
        )
        same.append(AuthorisationRow.membership_id == membership_id)
    if but is not None:
        conditions.append(SessionRow.id != but)
        same.append(AuthorisationRow.session_id != but)
    rows = list(
        work.session.scalars(
            sa.select(SessionRow)
            .where(is_running(work), SessionRow.person_id == person_id, *conditions)
            .order_by(SessionRow.id)
            .with_for_update()
        )
    )
    _end(work, rows)
    end_authorisations(work, person_id, *same)
    if rows:
        audit.record(
            work,
            action="session.revoked",
            subject=f"person:{person_id}",
            details={"sessions": [str(row.id) for row in rows]},
        )
    return len(rows)


def _end(work: Work, rows: list[SessionRow]) -> None:
    for row in rows:
        row.revoked_at = work.at
        revoke(work, "session", str(row.id), kept_until=work.at + KEPT_FOR)


def _note(membership: Membership, action: str, session_id: UUID) -> None:
    """Put on record in the tenant who came or went."""
    actor = person_actor(membership.person_id, membership.shop_id, membership.visit_id)
    with unit_of_work(Scope(tenant_id=membership.tenant_id, actor=actor)) as work:
        audit.record(
            work,
            action=action,
            subject=f"person:{membership.person_id}",
            details={"session": str(session_id), "role": membership.role},
        )


def purge_sessions(work: Work) -> int:
    """Delete sessions that ended long ago; ``work`` is of the platform tenant."""
    return rows_changed(
        work.session.execute(
            sa.delete(SessionRow).where(
                SessionRow.tenant_id == work.tenant_id,
                sa.or_(
                    SessionRow.expires_at < work.at - KEPT_AFTER_END,
                    SessionRow.revoked_at < work.at - KEPT_AFTER_END,
                ),
            )
        )
    )
