"""Sessions: a person at a browser, proved by a password once and by a secret from then on.

A session is a row in the platform tenant; the tokens made from it live for a quarter of an hour,
so what a person may do is judged anew that often, and an ended session is believed no more within
30 seconds, at once in the process that ended it.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit
from giftpad.identity.commands.grants import sign_claims
from giftpad.identity.commands.revocations import KEPT_FOR, revoke
from giftpad.identity.errors import SessionNotFound, SessionOver
from giftpad.identity.models import SessionRow
from giftpad.identity.queries import (
    PLATFORM,
    find_membership,
    get_person,
    is_running,
    issuer,
    lock_person,
    open_personal,
    password_mark,
    person_actor,
    refresh_trust,
)
from giftpad.identity.rules import (
    SESSION_LIFE_S,
    SESSION_TOKEN_LIFE_S,
    Membership,
    hash_secret,
    is_secret,
    name_agent,
    session_claims,
)
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


def open_session(
    person_id: UUID,
    tenant_id: UUID,
    membership_id: UUID,
    *,
    user_agent: str = "",
    proof: str | None = None,
) -> OpenedSession:
    """Begin a session of a person who has proved themselves, in one of their roles.

    A ``proof`` that has waited for the choice of a role counts only for the password it is of.
    Locks: the person's row against a new password, whose setter then finds this session.
    Raises: SessionOver, if they do not have the role, may not sign in or have a new password.
    """
    if not _is_of(find_membership(tenant_id, membership_id), person_id):
        raise SessionOver
    session_id, secret = new_id(), secrets.token_urlsafe(SECRET_BYTES)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = lock_person(work, person_id, to_change=False)
        if person is None or proof not in (None, password_mark(person)):
            raise SessionOver
        work.session.add(
            SessionRow(
                tenant_id=work.tenant_id,
                id=session_id,
                person_id=person_id,
                home_tenant_id=tenant_id,
                membership_id=membership_id,
                secret_hash=hash_secret(secret),
                agent=name_agent(user_agent),
                created_at=work.at,
                seen_at=work.at,
                expires_at=work.at + timedelta(seconds=SESSION_LIFE_S),
            )
        )
    # Judged again now that the row is there: who takes the role away ends the sessions they find.
    membership = find_membership(tenant_id, membership_id)
    if membership is None or not _is_of(membership, person_id):
        _revoke(person_actor(person_id), person_id, SessionRow.id == session_id)
        raise SessionOver
    _note(membership, "session.opened", session_id)
    name = open_personal(person_id, "name_sealed", person.name_sealed)
    return _opened(session_id, secret, name, membership)


def _is_of(membership: Membership | None, person_id: UUID) -> bool:
    return membership is not None and membership.person_id == person_id


def renew_session(session_id: UUID, secret: str) -> OpenedSession:
    """Make a new token for a session that still runs, by what its person may do now.

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
    name = open_personal(person.id, "name_sealed", person.name_sealed)
    return _opened(session_id, secret, name, membership)


def _running(work: Work, session_id: UUID, secret: str) -> SessionRow:
    row = work.session.scalars(
        sa.select(SessionRow).where(is_running(work), SessionRow.id == session_id).with_for_update()
    ).one_or_none()
    if row is None or not is_secret(secret, row.secret_hash):
        raise SessionOver
    return row


def _opened(session_id: UUID, secret: str, name: str, membership: Membership) -> OpenedSession:
    at = int(time.time())
    claims = session_claims(
        issuer(), membership, session_id=session_id, token_id=new_id().hex, at=at
    )
    return OpenedSession(
        session_id=session_id,
        secret=secret,
        token=sign_claims(claims),
        token_over_at=at + SESSION_TOKEN_LIFE_S,
        name=name,
        membership=membership,
    )


def end_session(session_id: UUID, secret: str) -> None:
    """Sign out: end the session that the secret belongs to, everywhere within 30 seconds.

    Raises: SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        row = _running(work, session_id, secret)
        _end(work, [row])
    refresh_trust()
    membership = find_membership(row.home_tenant_id, row.membership_id)
    if membership is not None:
        _note(membership, "session.ended", session_id)


def revoke_session(person_id: UUID, session_id: UUID) -> None:
    """End one session of a person from another of theirs.

    Raises: SessionNotFound.
    """
    if not _revoke(person_actor(person_id), person_id, SessionRow.id == session_id):
        raise SessionNotFound


def revoke_sessions_of(person_id: UUID, *, but: UUID | None = None) -> int:
    """End a person's sessions for them, but for the one they ask from; return how many."""
    return _revoke(person_actor(person_id), person_id, *_but(but))


def revoke_sessions_in(actor: Actor, person_id: UUID, membership_id: UUID) -> int:
    """End the sessions that a person has in one of their roles; return how many."""
    return _revoke(actor, person_id, SessionRow.membership_id == membership_id)


def end_sessions_of(work: Work, person_id: UUID, *, but: UUID | None = None) -> int:
    """End the sessions of a person in the transaction of what ends them; return how many.

    ``work`` is of the platform tenant; whoever opened it calls ``refresh_trust`` after it.
    Locks: the sessions' rows.
    """
    return _end_those(work, person_id, *_but(but))


def _but(session_id: UUID | None) -> list[sa.ColumnElement[bool]]:
    return [SessionRow.id != session_id] if session_id is not None else []


def _revoke(actor: Actor, person_id: UUID, *conditions: sa.ColumnElement[bool]) -> int:
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        count = _end_those(work, person_id, *conditions)
    refresh_trust()
    return count


def _end_those(work: Work, person_id: UUID, *conditions: sa.ColumnElement[bool]) -> int:
    rows = list(
        work.session.scalars(
            sa.select(SessionRow)
            .where(is_running(work), SessionRow.person_id == person_id, *conditions)
            .order_by(SessionRow.id)
            .with_for_update()
        )
    )
    _end(work, rows)
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
    actor = person_actor(membership.person_id, membership.shop_id)
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
