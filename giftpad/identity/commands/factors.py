"""Second steps by what somebody types: the digits of an app, a code from their sheet.

Hides: how guesses are counted.  A try is counted, and that committed, before it is judged, so no
number of them at once gets more than its share.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.identity.commands.notices import Notice, Seen, prepare_notice, tell
from giftpad.identity.commands.passwords import FAILURES_MAX, prove_secret
from giftpad.identity.commands.sessions import end_sessions_of
from giftpad.identity.errors import (
    AuthenticatorLocked,
    CodeWrong,
    FactorNeeded,
    FactorNotFound,
    FactorUnproved,
    PersonNotFound,
    SessionOver,
)
from giftpad.identity.models import AuthenticatorRow, PasskeyRow, PersonRow, RecoveryCodeRow
from giftpad.identity.queries import (
    PLATFORM,
    find_person,
    find_running,
    get_person,
    is_password_mark,
    lock_person,
    must_have_factors,
    open_personal,
    person_actor,
    read_factors,
    refresh_trust,
)
from giftpad.identity.rules import (
    CODE_METHOD,
    PASSWORD_METHOD,
    RECOVERY_LENGTH,
    SECOND_STEP,
    WRONG_CODES_MAX,
    authenticator_address,
    find_step,
    is_authenticator_code,
    new_authenticator_secret,
    new_recovery_codes,
)
from giftpad.kernel.codes import fold_typed
from giftpad.kernel.seal import column_place
from giftpad.kernel.work import Actor, Work, unit_of_work

METHODS = (CODE_METHOD, SECOND_STEP)
NO_STEP = -1
ADDED = {"second_step_on": "person.authenticator_added", "passkey_added": "person.passkey_added"}
"""What stands on record of what somebody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """By what somebody may be given a factor: a session of theirs, or the proof of their password.

    The latter is on the way in, and for a first one.  That needs their password in any case: what
    another has said of them does not do.
    """

    session_id: UUID | None = None
    proof: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorOffer:
    """What an authenticator app is to be told; nothing is kept of it until it shows digits."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


def offer_authenticator(person_id: UUID, *, secret: str = "") -> AuthenticatorOffer:
    """Return a new secret for somebody's authenticator app, or one that they were offered before.

    Raises: SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
    if person is None:
        raise SessionOver
    secret = secret or new_authenticator_secret()
    email = open_personal(person_id, "email_sealed", person.email_sealed)
    return AuthenticatorOffer(
        secret=secret, address=authenticator_address(secret, name=email, issuer="Giftpad")
    )


def add_authenticator(
    person_id: UUID, secret: str, typed: str, seen: Seen, *, on: Standing
) -> Sequence[str]:
    """Ask somebody for the digits of an app from now on, whose secret it has shown to know.

    ``on`` says by what they may.  Returns the recovery codes that come with one's first factor,
    and none later.
    Locks: the person.
    Raises: CodeWrong, FactorUnproved, SessionOver.
    """
    step = find_step(secret, fold_typed(typed), at=time.time(), after=NO_STEP)
    if step is None:
        raise CodeWrong
    notice = prepare_notice(person_id, seen)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = lock_for_factor(work, person_id, on)
        had_any = read_factors(work, person_id).are_any
        values = {
            "secret_sealed": tenancy.seal_text(work.tenant_id, _place(person_id), secret),
            "last_step": step,
            "wrong_codes": 0,
            "created_at": work.at,
            "used_at": None,
        }
        work.session.execute(
            insert(AuthenticatorRow)
            .values(tenant_id=work.tenant_id, person_id=person_id, **values)
            .on_conflict_do_update(index_elements=["tenant_id", "person_id"], set_=values)
        )
        return welcome_factor(work, person, notice, what="second_step_on", had_any=had_any)


def welcome_factor(
    work: Work, person: PersonRow, notice: Notice, *, what: str, had_any: bool
) -> Sequence[str]:
    """Put a new factor on record, tell its owner, and give them a sheet of codes if they have none.

    ``work`` is of the platform tenant and holds the person.
    """
    work.session.flush()
    sheet = []
    if not had_any or read_factors(work, person.id).recovery_codes_left == 0:
        sheet = _new_sheet(work, person.id)  # what anybody may have had before opens nothing
    tell(work, person, what, notice)
    audit.record(work, action=ADDED[what], subject=f"person:{person.id}")
    return sheet


def lock_for_factor(work: Work, person_id: UUID, on: Standing) -> PersonRow:
    """Return a person who may be given a factor, as they stay until the end of ``work``.

    Locks: the person.
    Raises: SessionOver, FactorUnproved.
    """
    person = _lock(work, person_id)
    have_any = read_factors(work, person_id).are_any
    if on.session_id is None:
        if have_any or not is_password_mark(person, on.proof):
            raise SessionOver
        return person
    session = find_running(work, person_id, on.session_id)
    if session is None:
        raise SessionOver
    if not have_any and PASSWORD_METHOD not in session.amr:
        raise FactorUnproved
    return person


def _lock(work: Work, person_id: UUID) -> PersonRow:
    person = lock_person(work, person_id, to_change=True)
    if person is None:
        raise SessionOver
    return person


def _place(person_id: UUID) -> str:
    return column_place(
        PLATFORM.tenant_id, AuthenticatorRow.__tablename__, "secret_sealed", person_id
    )


def prove_code(person_id: UUID, typed: str, seen: Seen) -> tuple[str, ...]:
    """Return how somebody has proved themselves by typing digits of their app, or a recovery code.

    Either is good once.
    Raises: CodeWrong, AuthenticatorLocked, SignInThrottled, SessionOver.
    """
    code = fold_typed(typed)
    if is_authenticator_code(code):
        _prove_digits(person_id, code, seen)
    elif len(code) == RECOVERY_LENGTH:
        _prove_recovery(person_id, code, seen)
    else:
        raise CodeWrong
    return METHODS


def _prove_digits(person_id: UUID, digits: str, seen: Seen) -> None:
    mine = (
        AuthenticatorRow.tenant_id == PLATFORM.tenant_id,
        AuthenticatorRow.person_id == person_id,
    )
    with unit_of_work(PLATFORM) as work:
        counted = work.session.execute(
            sa.update(AuthenticatorRow)
            .where(*mine, AuthenticatorRow.wrong_codes < WRONG_CODES_MAX)
            .values(wrong_codes=AuthenticatorRow.wrong_codes + 1)
            .returning(
                AuthenticatorRow.secret_sealed,
                AuthenticatorRow.last_step,
                AuthenticatorRow.wrong_codes,
            )
        ).one_or_none()
        if counted is None:
            is_locked = read_factors(work, person_id).is_locked
            raise AuthenticatorLocked if is_locked else CodeWrong
    secret = tenancy.open_text(PLATFORM.tenant_id, _place(person_id), counted.secret_sealed)
    step = find_step(secret, digits, at=time.time(), after=counted.last_step)
    if step is None:
        if counted.wrong_codes == WRONG_CODES_MAX:
            _note_lock(person_id, seen)
        raise CodeWrong
    with unit_of_work(PLATFORM) as work:
        won = work.session.execute(
            sa.update(AuthenticatorRow)
            .where(
                *mine,
                AuthenticatorRow.last_step < step,
                AuthenticatorRow.secret_sealed == counted.secret_sealed,
            )
            .values(last_step=step, wrong_codes=0, used_at=work.at)
            .returning(AuthenticatorRow.person_id)
        ).one_or_none()
    if won is None:  # the same digits were quicker elsewhere
        raise CodeWrong


def _note_lock(person_id: UUID, seen: Seen) -> None:
    """Put on record, and tell them, that somebody guesses at digits behind the right password."""
    notice = prepare_notice(person_id, seen)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = get_person(work, person_id)
        if person is not None:
            tell(work, person, "codes_guessed", notice)
        audit.record(work, action="person.authenticator_locked", subject=f"person:{person_id}")


def _prove_recovery(person_id: UUID, code: str, seen: Seen) -> None:
    notice = prepare_notice(person_id, seen)

    def use() -> UUID | None:
        with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
            used = work.session.execute(
                sa.update(RecoveryCodeRow)
                .where(
                    RecoveryCodeRow.tenant_id == work.tenant_id,
                    RecoveryCodeRow.person_id == person_id,
                    RecoveryCodeRow.code_hash == _hash_code(person_id, code),
                    RecoveryCodeRow.used_at.is_(None),
                )
                .values(used_at=work.at)
                .returning(RecoveryCodeRow.person_id)
            ).one_or_none()
            person = get_person(work, person_id)
            if used is None or person is None:
                return None
            tell(work, person, "recovery_code_used", notice)
            audit.record(work, action="person.recovery_code_used", subject=f"person:{person_id}")
        return person_id

    if prove_secret({f"recovery:{person_id}": FAILURES_MAX}, use) is None:
        raise CodeWrong


def _hash_code(person_id: UUID, code: str) -> bytes:
    """Return what is kept of a code: 60 bits need a key that is not beside it."""
    return tenancy.index_text(PLATFORM.tenant_id, f"recovery:{person_id}:{code}")


def renew_recovery_codes(person_id: UUID, seen: Seen) -> Sequence[str]:
    """Give somebody with a second step a new sheet of codes; the old one is good for nothing.

    Locks: the person.
    Raises: FactorNotFound, SessionOver.
    """
    notice = prepare_notice(person_id, seen)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = _lock(work, person_id)
        if not read_factors(work, person_id).are_any:
            raise FactorNotFound
        sheet = _new_sheet(work, person_id)
        tell(work, person, "recovery_codes_renewed", notice)
        audit.record(work, action="person.recovery_codes_renewed", subject=f"person:{person_id}")
    return sheet


def _new_sheet(work: Work, person_id: UUID) -> list[str]:
    _forget_sheet(work, person_id)
    sheet = new_recovery_codes()
    work.session.add_all(
        RecoveryCodeRow(
            tenant_id=work.tenant_id,
            person_id=person_id,
            code_hash=_hash_code(person_id, code),
            created_at=work.at,
        )
        for code in sheet
    )
    return sheet


def _forget_sheet(work: Work, person_id: UUID) -> None:
    work.session.execute(
        sa.delete(RecoveryCodeRow).where(
            RecoveryCodeRow.tenant_id == work.tenant_id, RecoveryCodeRow.person_id == person_id
        )
    )


def remove_authenticator(person_id: UUID, seen: Seen) -> None:
    """Ask somebody for the digits of their app no more.

    Locks: the person.
    Raises: FactorNotFound, FactorNeeded, SessionOver.
    """
    _remove(person_id, None, seen)


def remove_passkey(person_id: UUID, passkey_id: UUID, seen: Seen) -> None:
    """Believe a passkey of somebody no more.

    Locks: the person.
    Raises: FactorNotFound, FactorNeeded, SessionOver.
    """
    _remove(person_id, passkey_id, seen)


def _remove(person_id: UUID, passkey_id: UUID | None, seen: Seen) -> None:
    notice, must_stay = prepare_notice(person_id, seen), must_have_factors(person_id)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = _lock(work, person_id)
        row = (
            work.session.get(AuthenticatorRow, (work.tenant_id, person_id))
            if passkey_id is None
            else work.session.get(PasskeyRow, (work.tenant_id, passkey_id))
        )
        if row is None or row.person_id != person_id:
            raise FactorNotFound
        work.session.delete(row)
        work.session.flush()
        left = read_factors(work, person_id)
        if must_stay and not left.can_be_used:
            raise FactorNeeded
        if not left.are_any:
            _forget_sheet(work, person_id)
        tell(work, person, "second_step_off" if passkey_id is None else "passkey_removed", notice)
        name = "authenticator" if passkey_id is None else "passkey"
        audit.record(work, action=f"person.{name}_removed", subject=f"person:{person_id}")


def reset_factors(actor: Actor, email: str, seen: Seen) -> UUID:
    """Take all of somebody's factors away, and end their sessions; they set up new ones.

    For whoever runs the installation and knows by other means who asks.
    Locks: the person, then their sessions.
    Raises: PersonNotFound, EmailInvalid.
    """
    with unit_of_work(PLATFORM) as work:
        found = find_person(work, email)
    if found is None:
        raise PersonNotFound
    notice = prepare_notice(found.id, seen)
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        person = find_person(work, email, to_change=True)
        if person is None:
            raise PersonNotFound
        for row in (AuthenticatorRow, PasskeyRow):
            work.session.execute(
                sa.delete(row).where(row.tenant_id == work.tenant_id, row.person_id == person.id)
            )
        _forget_sheet(work, person.id)
        tell(work, person, "second_step_off", notice)
        audit.record(work, action="person.factors_reset", subject=f"person:{person.id}")
        end_sessions_of(work, person.id)
    refresh_trust()
    return found.id
