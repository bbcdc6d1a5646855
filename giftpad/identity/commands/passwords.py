"""Passwords: a new one ends every other browser's session, whoever has set it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from giftpad import audit, guard
from giftpad.identity.commands.sessions import revoke_sessions_of
from giftpad.identity.errors import PasswordWrong, PersonNotFound, SessionOver, SignInThrottled
from giftpad.identity.queries import (
    PLATFORM,
    find_person,
    get_person,
    hasher,
    is_password,
    person_actor,
)
from giftpad.identity.rules import check_password
from giftpad.kernel.work import Actor, unit_of_work

FAILURES_MAX = 10


def change_password(
    person_id: UUID, present: str, password: str, *, session_id: UUID | None = None
) -> None:
    """Give a person another password, and end their sessions but for the one they ask from.

    Raises: PasswordWrong, PasswordUnfit, SignInThrottled, SessionOver.
    """
    scope = replace(PLATFORM, actor=person_actor(person_id))
    with unit_of_work(scope) as work:
        person = get_person(work, person_id)
    if person is None:
        raise SessionOver
    _prove(person_id, person.password_hash, present)
    password_hash = hasher().hash(check_password(password))
    with unit_of_work(scope) as work:
        row = get_person(work, person_id)
        if row is None:
            raise SessionOver
        row.password_hash = password_hash
        work.session.flush()
        audit.record(work, action="person.password_changed", subject=f"person:{person_id}")
    revoke_sessions_of(person_id, but=session_id)


def reset_password(actor: Actor, email: str, password: str) -> UUID:
    """Give whoever signs in with an address another password, and end all their sessions.

    For whoever runs the installation and knows by other means who asks.
    Raises: PersonNotFound, PasswordUnfit, EmailInvalid.
    """
    password_hash = hasher().hash(check_password(password))
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        row = find_person(work, email)
        if row is None:
            raise PersonNotFound
        row.password_hash = password_hash
        work.session.flush()
        audit.record(work, action="person.password_reset", subject=f"person:{row.id}")
        person_id = row.id
    revoke_sessions_of(person_id)
    return person_id


def _prove(person_id: UUID, password_hash: str, present: str) -> None:
    name = f"password:{person_id}"
    try:
        guard.check_failures(name)
        if is_password(password_hash, present):
            return
        guard.count_failure(name, most=FAILURES_MAX)
    except guard.TooManyFailures as error:
        refusal = SignInThrottled(retry_after_s=error.retry_after_s)
        refusal.retry_after_s = error.retry_after_s
        raise refusal from error
    raise PasswordWrong
