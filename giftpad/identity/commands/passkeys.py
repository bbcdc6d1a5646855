"""Passkeys: made for an account, and asked who somebody is.

A passkey that its device has verified the person for is both steps in one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from giftpad.identity.adapters.passkeys import (
    PasskeyAnswer,
    ask_for_answer,
    ask_to_make,
    can_use_passkeys,
    judge_answer,
    judge_made,
    read_answer,
)
from giftpad.identity.commands.factors import Standing, lock_for_factor, welcome_factor
from giftpad.identity.commands.notices import Seen, prepare_notice
from giftpad.identity.commands.passwords import FAILURES_BY_SOURCE_MAX, SignedIn, prove_secret
from giftpad.identity.errors import PasskeyRefused, SessionOver
from giftpad.identity.models import PasskeyRow, UsedChallengeRow
from giftpad.identity.queries import (
    PLATFORM,
    get_person,
    issuer,
    list_memberships,
    open_personal,
    password_mark,
    person_actor,
    read_factors,
)
from giftpad.identity.rules import (
    CHALLENGE_BYTES,
    CHALLENGE_LIFE_S,
    DEVICE_KEY_METHOD,
    PASSKEYS_MAX,
    SECOND_STEP,
    SYNCED_KEY_METHOD,
    name_agent,
)
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed, savepoint, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAsked:
    """What a browser is asked, as JSON, and the challenge that its answer must be to."""

    options: str
    challenge: bytes = field(repr=False)


def offers_passkeys() -> bool:
    """Whether browsers can keep passkeys for this installation's address."""
    return can_use_passkeys(issuer().address)


def ask_new_passkey(person_id: UUID) -> PasskeyAsked:
    """Ask a browser to make a passkey for somebody.

    Raises: SessionOver.
    """
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
        known = _ids_of(work, person_id)
    if person is None:
        raise SessionOver
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    options = ask_to_make(
        issuer().address,
        challenge,
        person_id=person_id,
        email=open_personal(person_id, "email_sealed", person.email_sealed),
        name=open_personal(person_id, "name_sealed", person.name_sealed),
        known=known,
    )
    return PasskeyAsked(options=options, challenge=challenge)


def _ids_of(work: Work, person_id: UUID) -> list[bytes]:
    return list(
        work.session.scalars(
            sa.select(PasskeyRow.credential_id).where(
                PasskeyRow.tenant_id == work.tenant_id, PasskeyRow.person_id == person_id
            )
        )
    )


def add_passkey(
    person_id: UUID, answer: str, challenge: bytes, seen: Seen, *, on: Standing
) -> Sequence[str]:
    """Believe a passkey that somebody's browser has just made.

    ``on`` says by what they may.  Returns the recovery codes that come with one's first factor,
    and none later.
    Locks: the person.
    Raises: PasskeyRefused, FactorUnproved, SessionOver.
    """
    made = judge_made(issuer().address, answer, challenge)
    if made is None:
        raise PasskeyRefused
    notice = prepare_notice(person_id, seen)
    with unit_of_work(replace(PLATFORM, actor=person_actor(person_id))) as work:
        person = lock_for_factor(work, person_id, on)
        had_any = read_factors(work, person_id).are_any
        if not _use(work, challenge) or len(_ids_of(work, person_id)) >= PASSKEYS_MAX:
            raise PasskeyRefused
        try:
            with savepoint(work):
                work.session.add(
                    PasskeyRow(
                        tenant_id=work.tenant_id,
                        id=new_id(),
                        person_id=person_id,
                        credential_id=made.credential_id,
                        public_key=made.public_key,
                        sign_count=made.sign_count,
                        is_synced=made.is_synced,
                        agent=name_agent(seen.user_agent),
                        created_at=work.at,
                    )
                )
                work.session.flush()
        except IntegrityError as error:  # somebody else has this very passkey
            raise PasskeyRefused from error
        return welcome_factor(work, person, notice, what="passkey_added", had_any=had_any)


def _use(work: Work, challenge: bytes) -> bool:
    """Whether a challenge is answered for the first time; of two at once, one is."""
    added = work.session.execute(
        insert(UsedChallengeRow)
        .values(
            tenant_id=work.tenant_id,
            challenge_hash=hashlib.sha256(challenge).digest(),
            kept_until=work.at + timedelta(seconds=2 * CHALLENGE_LIFE_S),
        )
        .on_conflict_do_nothing()
        .returning(UsedChallengeRow.kept_until)
    )
    return added.first() is not None


def ask_passkey(person_id: UUID | None = None) -> PasskeyAsked:
    """Ask a browser for any passkey it has for us, or for one of somebody's."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    known: list[bytes] = []
    if person_id is not None:
        with unit_of_work(PLATFORM) as work:
            known = _ids_of(work, person_id)
    return PasskeyAsked(
        options=ask_for_answer(issuer().address, challenge, known=known), challenge=challenge
    )


def prove_passkey(
    text: str, challenge: bytes, *, source: str, person_id: UUID | None = None
) -> SignedIn:
    """Return who has proved themselves by a passkey, or that it is ``person_id``.

    A challenge is answered once.
    Raises: PasskeyRefused, SignInThrottled.
    """
    names = {f"passkey:source:{source}": FAILURES_BY_SOURCE_MAX}
    proved = prove_secret(names, lambda: _judge(text, challenge, person_id))
    if proved is None:
        raise PasskeyRefused
    return proved


def _judge(text: str, challenge: bytes, person_id: UUID | None) -> SignedIn | None:
    answer = read_answer(text)
    row = _find(answer) if answer is not None else None
    if answer is None or row is None or person_id not in (None, row.person_id):
        return None
    count = judge_answer(
        issuer().address,
        answer,
        challenge,
        public_key=row.public_key,
        sign_count=row.sign_count,
    )
    if count is None:
        return None
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, row.person_id)
        found = work.session.get(PasskeyRow, (work.tenant_id, row.id), with_for_update=True)
        if person is None or found is None or found.sign_count != row.sign_count:
            return None
        if not _use(work, challenge):
            return None
        found.sign_count, found.used_at = count, work.at
    method = SYNCED_KEY_METHOD if row.is_synced else DEVICE_KEY_METHOD
    return SignedIn(
        person_id=person.id,
        proof=password_mark(person.password_hash),
        memberships=tuple(list_memberships(person.id)),
        methods=(method, SECOND_STEP),
        has_factors=True,
    )


def _find(answer: PasskeyAnswer) -> PasskeyRow | None:
    """Return the passkey that an answer says it is of, if its owner is whom it says."""
    with unit_of_work(PLATFORM) as work:
        row = work.session.scalars(
            sa.select(PasskeyRow).where(
                PasskeyRow.tenant_id == work.tenant_id,
                PasskeyRow.credential_id == answer.credential_id,
            )
        ).one_or_none()
    return row if row is not None and answer.person_id in (None, row.person_id) else None


def purge_challenges(work: Work) -> int:
    """Forget answered challenges that nobody can answer again; ``work`` is of the platform."""
    return rows_changed(
        work.session.execute(
            sa.delete(UsedChallengeRow).where(
                UsedChallengeRow.tenant_id == work.tenant_id,
                UsedChallengeRow.kept_until < work.at,
            )
        )
    )
