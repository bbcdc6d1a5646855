"""Passwords: the proof who somebody is, counted when it fails; a new one ends other sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from giftpad import audit, guard, tenancy
from giftpad.identity.commands.sessions import end_sessions_of
from giftpad.identity.errors import (
    EmailInvalid,
    PasswordWrong,
    PersonNotFound,
    SessionOver,
    SignInRefused,
    SignInThrottled,
)
from giftpad.identity.queries import (
    PLATFORM,
    find_person,
    get_person,
    hasher,
    is_password,
    list_memberships,
    lock_person,
    password_mark,
    person_actor,
    refresh_trust,
    verify_password,
)
from giftpad.identity.rules import Membership, check_password, normalise_email
from giftpad.kernel.work import Actor, unit_of_work

T = TypeVar("T")

FAILURES_BY_PAIR_MAX = 10
FAILURES_BY_ACCOUNT_MAX = 100
FAILURES_BY_SOURCE_MAX = 100
FAILURES_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who has proved to be somebody, and which roles they can take; no session exists yet.

    ``proof`` opens a session later, as long as the password is the same.
    """

    person_id: UUID
    proof: str = field(repr=False)
    memberships: tuple[Membership, ...]


def prove(names: Mapping[str, int], find: Callable[[], T | None]) -> T | None:
    """Return what is found by a secret; nothing is a failure, counted under each of the names.

    ``names`` says how many failures each may have in ten minutes.
    Raises: SignInThrottled.
    """
    try:
        for name in names:
            guard.check_failures(name)
        found = find()
        if found is None:
            for name, most in names.items():
                guard.count_failure(name, most=most)
    except guard.TooManyFailures as error:
        raise SignInThrottled(retry_after_s=error.retry_after_s) from error
    return found


def _throttle_names(email: str, source: str) -> dict[str, int]:
    """Name what failures are counted by: the address with its source, the address, the source."""
    names = {f"sign-in:source:{source}": FAILURES_BY_SOURCE_MAX}
    try:
        account = tenancy.index_text(PLATFORM.tenant_id, normalise_email(email)).hex()
    except EmailInvalid:
        return names
    return names | {
        f"sign-in:pair:{account}:{source}": FAILURES_BY_PAIR_MAX,
        f"sign-in:account:{account}": FAILURES_BY_ACCOUNT_MAX,
    }


def prove_password(email: str, password: str, *, source: str) -> UUID:
    """Return whose address and password these are; too many that are nobody's bar whoever tries.

    The answer and the work are the same for an unknown address and a wrong password.
    Raises: SignInRefused, SignInThrottled.
    """
    person_id = prove(_throttle_names(email, source), lambda: verify_password(email, password))
    if person_id is None:
        raise SignInRefused
    return person_id


def sign_in(email: str, password: str, *, source: str) -> SignedIn:
    """Return who has proved themselves by a password, with the roles to choose from.

    ``source`` is the network address from which they come.
    Raises: SignInRefused, SignInThrottled.
    """
    proof = find_mark(email)
    person_id = prove_password(email, password, source=source)
    return SignedIn(
        person_id=person_id, proof=proof, memberships=tuple(list_memberships(person_id))
    )


def find_mark(email: str) -> str:
    """Return the mark of somebody's password, to be asked for before the password is judged.

    One that replaces it has another, so whatever is proved later by this mark is proved by it.
    """
    try:
        with unit_of_work(PLATFORM) as work:
            person = find_person(work, email)
    except EmailInvalid:
        return ""
    return password_mark(person) if person is not None else ""


def change_password(
    person_id: UUID, present: str, password: str, *, session_id: UUID | None = None
) -> None:
    """Give a person another password, and end their sessions but for the one they ask from.

    Locks: the person's row, then their sessions.
    Raises: PasswordWrong, PasswordUnfit, SignInThrottled, SessionOver.
    """
    scope = replace(PLATFORM, actor=person_actor(person_id))
    with unit_of_work(scope) as work:
        person = get_person(work, person_id)
    if person is None:
        raise SessionOver
    known = person.password_hash
    proved = prove(
        {f"password:{person_id}": FAILURES_MAX},
        lambda: known if is_password(known, present) else None,
    )
    if proved is None:
        raise PasswordWrong
    password_hash = hasher().hash(check_password(password))
    with unit_of_work(scope) as work:
        row = lock_person(work, person_id, to_change=True)
        if row is None:
            raise SessionOver
        if row.password_hash != proved:  # another has replaced it since it was proved
            raise PasswordWrong
        row.password_hash = password_hash
        work.session.flush()
        audit.record(work, action="person.password_changed", subject=f"person:{person_id}")
        end_sessions_of(work, person_id, but=session_id)
    refresh_trust()


def reset_password(actor: Actor, email: str, password: str) -> UUID:
    """Give whoever signs in with an address another password, and end all their sessions.

    For whoever runs the installation and knows by other means who asks.
    Locks: the person's row, then their sessions.
    Raises: PersonNotFound, PasswordUnfit, EmailInvalid.
    """
    password_hash = hasher().hash(check_password(password))
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        row = find_person(work, email, to_change=True)
        if row is None:
            raise PersonNotFound
        row.password_hash = password_hash
        work.session.flush()
        audit.record(work, action="person.password_reset", subject=f"person:{row.id}")
        end_sessions_of(work, row.id)
        person_id = row.id
    refresh_trust()
    return person_id
