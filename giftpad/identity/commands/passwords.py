"""Passwords: the proof who somebody is, counted when it fails; a new one ends other sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from uuid import UUID

from giftpad import audit, guard, tenancy
from giftpad.identity.commands.notices import UNSEEN, Seen, prepare_notice, tell
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
    find_factors,
    find_person,
    get_person,
    hash_slowly,
    is_password,
    list_memberships,
    lock_person,
    password_mark,
    person_actor,
    refresh_trust,
    verify_password,
)
from giftpad.identity.rules import (
    PASSWORD_METHOD,
    Membership,
    check_password,
    normalise_email,
)
from giftpad.kernel.work import Actor, unit_of_work

T = TypeVar("T")

FAILURES_BY_PAIR_MAX = 10
FAILURES_BY_ACCOUNT_MAX = 100
FAILURES_BY_SOURCE_MAX = 100
FAILURES_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who has proved to be somebody, and which roles they can take; no session exists yet.

    ``proof`` opens a session later, as long as the password is the same; ``methods`` is how they
    have done it, and ``has_factors`` whether there is a second step that they can take.
    """

    person_id: UUID
    proof: str = field(repr=False)
    memberships: tuple[Membership, ...]
    methods: tuple[str, ...]
    has_factors: bool


def prove_secret(names: Mapping[str, int], find: Callable[[], T | None]) -> T | None:
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
    person_id = prove_secret(
        _throttle_names(email, source), lambda: verify_password(email, password)
    )
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
        person_id=person_id,
        proof=proof,
        memberships=tuple(list_memberships(person_id)),
        methods=(PASSWORD_METHOD,),
        has_factors=find_factors(person_id).are_any,
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
    return password_mark(person.password_hash) if person is not None else ""


def prove_present(person_id: UUID, password: str) -> tuple[str, ...]:
    """Return how somebody who is signed in has proved themselves once more by their password.

    Raises: PasswordWrong, SignInThrottled, SessionOver.
    """
    confirm_password(person_id, password)
    return (PASSWORD_METHOD,)


def confirm_password(person_id: UUID, password: str) -> str:
    """Let somebody who is signed in prove once more who they are; return the hash that fits.

    Raises: PasswordWrong, SignInThrottled, SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
    if person is None:
        raise SessionOver
    known = person.password_hash
    proved = prove_secret(
        {f"password:{person_id}": FAILURES_MAX},
        lambda: known if is_password(known, password) else None,
    )
    if proved is None:
        raise PasswordWrong
    return proved


def find_proof(person_id: UUID) -> str:
    """Return the mark of a person's password as it is now; "" of nobody."""
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
    return password_mark(person.password_hash) if person is not None else ""


def change_password(
    person_id: UUID,
    present: str,
    password: str,
    *,
    seen: Seen = UNSEEN,
    session_id: UUID | None = None,
) -> None:
    """Give a person another password, and end their sessions but for the one they ask from.

    Locks: the person's row, then their sessions.
    Raises: PasswordWrong, PasswordUnfit, SignInThrottled, SessionOver.
    """
    proved = confirm_password(person_id, present)
    password_hash = hash_slowly(check_password(password))
    notice = prepare_notice(person_id, seen)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        row = lock_person(work, person_id, to_change=True)
        if row is None:
            raise SessionOver
        if row.password_hash != proved:  # another has replaced it since it was proved
            raise PasswordWrong
        row.password_hash = password_hash
        work.session.flush()
        tell(work, row, "password_changed", notice)
        audit.record(work, action="person.password_changed", subject=f"person:{person_id}")
        end_sessions_of(work, person_id, but=session_id)
    refresh_trust()


def reset_password(actor: Actor, email: str, password: str, *, seen: Seen = UNSEEN) -> UUID:
    """Give whoever signs in with an address another password, and end all their sessions.

    For whoever runs the installation and knows by other means who asks.
    Locks: the person's row, then their sessions.
    Raises: PersonNotFound, PasswordUnfit, EmailInvalid.
    """
    password_hash = hash_slowly(check_password(password))
    with unit_of_work(PLATFORM) as work:
        known = find_person(work, email)
    if known is None:
        raise PersonNotFound
    notice = prepare_notice(known.id, seen)
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        row = lock_person(work, known.id, to_change=True)
        if row is None:
            raise PersonNotFound
        row.password_hash = password_hash
        work.session.flush()
        tell(work, row, "password_changed", notice)
        audit.record(work, action="person.password_reset", subject=f"person:{row.id}")
        end_sessions_of(work, row.id)
    refresh_trust()
    return known.id
