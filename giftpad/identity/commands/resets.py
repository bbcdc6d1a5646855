"""Forgotten passwords: a code goes to the address, and who types it sets a new password.

The same answer, the same work and the same limits for an address that nobody has here.  The code
is typed where it was asked for: what a mail carries is no link, so nothing that opens links, or
posts what it finds behind them, can use it up.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa

from giftpad import audit, events, guard, messaging, tenancy
from giftpad.identity.commands.notices import Seen, find_organisation, prepare_notice, tell
from giftpad.identity.commands.sessions import end_sessions_of
from giftpad.identity.errors import ResetCodeWrong, ResetOver, SignInThrottled
from giftpad.identity.events import ResetAsked
from giftpad.identity.models import PersonRow, ResetRow
from giftpad.identity.queries import (
    PLATFORM,
    hash_slowly,
    issuer,
    lock_person,
    open_personal,
    person_actor,
    refresh_trust,
)
from giftpad.identity.rules import (
    RESET_LIFE_S,
    RESET_TRIES_MAX,
    check_password,
    new_reset_code,
    normalise_email,
)
from giftpad.kernel.codes import fold_typed
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Work, rows_changed, unit_of_work

ASKED_BY_PAIR_MAX = 5
ASKED_BY_ACCOUNT_MAX = 50
ASKED_BY_SOURCE_MAX = 30
KEPT_AFTER_END = timedelta(days=1)


def ask_reset(email: str, *, source: str, locale: str) -> UUID:
    """Let somebody prove by a code, which goes to their address, that it is theirs.

    Returns what they asked, known to their browser alone.
    Raises: EmailInvalid, SignInThrottled.
    Publishes: person.reset_asked_v1.
    """
    email_index = tenancy.index_text(PLATFORM.tenant_id, normalise_email(email))
    names = {
        f"reset:pair:{email_index.hex()}:{source}": ASKED_BY_PAIR_MAX,
        f"reset:source:{source}": ASKED_BY_SOURCE_MAX,
        f"reset:account:{email_index.hex()}": ASKED_BY_ACCOUNT_MAX,
    }
    try:
        for name, most in names.items():
            guard.check_failures(name)
            guard.count_failure(name, most=most)
    except guard.TooManyFailures as error:
        raise SignInThrottled(retry_after_s=error.retry_after_s) from error
    reset_id = new_id()
    with unit_of_work(PLATFORM) as work:
        work.session.add(
            ResetRow(
                tenant_id=work.tenant_id,
                id=reset_id,
                email_index=email_index,
                locale=locale,
                created_at=work.at,
                expires_at=work.at + timedelta(seconds=RESET_LIFE_S),
            )
        )
        work.session.flush()
        events.publish(work, ResetAsked(object_id=reset_id))
    return reset_id


def send_reset_code(work: Work, reset_id: UUID) -> None:
    """Make the code of a reset and mail it, if its address is somebody's.

    Others of the same address live on: each is good in the browser that asked for it alone, and
    whoever asks for codes of others takes none of theirs away.
    ``work`` is of the platform tenant.
    Locks: the reset.
    Publishes: message.code_due_v1.
    """
    row = work.session.get(ResetRow, (work.tenant_id, reset_id), with_for_update=True)
    if row is None or row.code_hash is not None or row.expires_at <= work.at:
        return
    person = _owner(work, row.email_index)
    if person is None or not messaging.can_send("mail"):
        return
    code = new_reset_code()
    row.code_hash = _hash_code(reset_id, code)
    messaging.send(
        work,
        messaging.Message(
            template="password_reset",
            to=open_personal(person.id, "email_sealed", person.email_sealed),
            values={
                "organisation": find_organisation(person.id, row.locale),
                "code": code,
                "minutes": RESET_LIFE_S // 60,
                "host": urlsplit(issuer().address).hostname or "",
            },
            locale=row.locale,
            send_before=row.expires_at,
        ),
    )


def _owner(work: Work, email_index: bytes) -> PersonRow | None:
    return work.session.scalars(
        sa.select(PersonRow).where(
            PersonRow.tenant_id == work.tenant_id,
            PersonRow.email_index == email_index,
            PersonRow.disabled_at.is_(None),
        )
    ).one_or_none()


def _hash_code(reset_id: UUID, code: str) -> bytes:
    return tenancy.index_text(PLATFORM.tenant_id, f"reset:{reset_id}:{code}")


def reset_by_code(reset_id: UUID, typed: str, password: str, seen: Seen) -> None:
    """Give somebody a new password, who has typed the code that went to their address.

    It ends all their sessions, and takes no second step from them.
    Locks: the person's row, then their sessions.
    Raises: PasswordUnfit, ResetCodeWrong, ResetOver.
    """
    unhashed = check_password(password)
    email_index = _prove(reset_id, fold_typed(typed))
    password_hash = hash_slowly(unhashed)
    with unit_of_work(PLATFORM) as work:
        known = _owner(work, email_index)
    if known is None:
        raise ResetOver
    notice = prepare_notice(known.id, seen)
    with unit_of_work(replace(PLATFORM, actor=person_actor(known.id))) as work:
        used = work.session.execute(
            sa.update(ResetRow)
            .where(ResetRow.tenant_id == work.tenant_id, ResetRow.id == reset_id, _is_open(work))
            .values(used_at=work.at)
        )
        person = lock_person(work, known.id, to_change=True)
        if rows_changed(used) == 0 or person is None:
            raise ResetOver
        person.password_hash = password_hash
        work.session.flush()
        tell(work, person, "password_changed", notice)
        audit.record(work, action="person.password_reset", subject=f"person:{person.id}")
        end_sessions_of(work, person.id)
    refresh_trust()


def _is_open(work: Work) -> sa.ColumnElement[bool]:
    return sa.and_(ResetRow.used_at.is_(None), ResetRow.expires_at > work.at)


def _prove(reset_id: UUID, code: str) -> bytes:
    """Return the index of the address that a code went to; the try counts before it is judged.

    Raises: ResetCodeWrong, ResetOver.
    """
    with unit_of_work(PLATFORM) as work:
        counted = work.session.execute(
            sa.update(ResetRow)
            .where(
                ResetRow.tenant_id == work.tenant_id,
                ResetRow.id == reset_id,
                _is_open(work),
                ResetRow.tries < RESET_TRIES_MAX,
            )
            .values(tries=ResetRow.tries + 1)
            .returning(ResetRow.code_hash, ResetRow.email_index, ResetRow.tries)
        ).one_or_none()
    if counted is None:
        raise ResetOver
    if not hmac.compare_digest(counted.code_hash or b"", _hash_code(reset_id, code)):
        left = RESET_TRIES_MAX - counted.tries
        if left == 0:
            raise ResetOver
        raise ResetCodeWrong(left=left)
    email_index: bytes = counted.email_index
    return email_index


def purge_resets(work: Work) -> int:
    """Delete what was asked long ago; ``work`` is of the platform tenant."""
    return rows_changed(
        work.session.execute(
            sa.delete(ResetRow).where(
                ResetRow.tenant_id == work.tenant_id,
                ResetRow.expires_at < work.at - KEPT_AFTER_END,
            )
        )
    )
