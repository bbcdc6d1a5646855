"""Signing keys: published before they sign, kept until what they signed is over.

Source: RFC 7517; RFC 7638.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from joserfc.jwk import RSAKey
from sqlalchemy.dialects.postgresql import insert

from giftpad import audit, tenancy
from giftpad.identity.errors import KeyNotFound, KeyTooYoung
from giftpad.identity.models import SigningKeyRow
from giftpad.identity.queries import PLATFORM, KeyView, key_place, list_keys, refresh_trust
from giftpad.identity.rules import TOKEN_LIFE_MAX_S
from giftpad.kernel.seal import wrap
from giftpad.kernel.work import SYSTEM, Actor, Scope, Work, unit_of_work

KEY_BITS = 2048
PUBLISHED_MIN = timedelta(hours=1)
KEPT_FOR = timedelta(seconds=TOKEN_LIFE_MAX_S) + timedelta(minutes=10)


class _Bound:
    """After how long the schedule lets the next key sign; None if it never does."""

    every: timedelta | None = None


def bind_rotation(every_days: int) -> None:
    """Say after how many days the schedule changes the key that signs; 0 means never."""
    _Bound.every = timedelta(days=every_days) if every_days else None


def _new_key() -> RSAKey:
    return RSAKey.generate_key(KEY_BITS, private=True, auto_kid=False)


def _insert(work: Work, key: RSAKey, state: str) -> None:
    """Add a key, unless there is one in this state already."""
    kid = key.thumbprint()
    work.session.execute(
        insert(SigningKeyRow)
        .values(
            tenant_id=work.tenant_id,
            kid=kid,
            state=state,
            public=key.as_dict(private=False),
            private_wrapped=wrap(tenancy.kek(), key.as_der(private=True), key_place(kid)),
            created_at=work.at,
            promoted_at=work.at if state == "current" else None,
        )
        .on_conflict_do_nothing()
    )


def ensure_keys() -> None:
    """Make the first two signing keys, unless there are some; two processes may try at once."""
    with unit_of_work(PLATFORM) as work:
        if {"current", "next"} <= {key.state for key in list_keys(work)}:
            return
    keys = {"current": _new_key(), "next": _new_key()}
    with unit_of_work(PLATFORM) as work:
        for state, key in keys.items():
            _insert(work, key, state)
    refresh_trust()


def _lock(work: Work) -> dict[str, SigningKeyRow]:
    """Lock the keys that sign or will, and return every key by its id as it is now."""
    mine = SigningKeyRow.tenant_id == work.tenant_id
    work.session.execute(
        sa.select(SigningKeyRow.kid)
        .where(mine, SigningKeyRow.state.in_(("next", "current")))
        .order_by(SigningKeyRow.kid)
        .with_for_update()
    ).all()
    # A second statement, because a rotation that was waited for has changed the states.
    return {row.kid: row for row in work.session.scalars(sa.select(SigningKeyRow).where(mine))}


def rotate_keys(actor: Actor, *, now: bool = False) -> str:
    """Let the next key sign, publish a new next one, and return the id of the one that signs.

    ``now`` does not wait until the next key was published for ``PUBLISHED_MIN``.
    Locks: the keys that sign or will.
    Raises: KeyTooYoung, KeyNotFound before the first key exists.
    """
    fresh = _new_key()
    with unit_of_work(_scope(actor)) as work:
        signing = _rotate(work, _lock(work), fresh, now=now)
    refresh_trust()
    return signing


def rotate_due_keys() -> str | None:
    """Rotate if the key that signs has done so for long enough; return the id of the new one.

    The schedule may come round in two workers at once: the second finds a key that is young.
    Locks: the keys that sign or will.
    """
    with unit_of_work(PLATFORM) as work:
        if not _is_due(work, list_keys(work)):
            return None
    fresh = _new_key()
    with unit_of_work(_scope(SYSTEM)) as work:
        rows = _lock(work)
        if not _is_due(work, rows.values()):
            return None
        signing = _rotate(work, rows, fresh)
    refresh_trust()
    return signing


def _is_due(work: Work, keys: Iterable[KeyView | SigningKeyRow]) -> bool:
    """Whether one key has signed for long enough, and others have had time to read the next."""
    signs_since = [key.promoted_at for key in keys if key.state == "current" and key.promoted_at]
    published_at = [key.created_at for key in keys if key.state == "next"]
    if _Bound.every is None or not signs_since or not published_at:
        return False
    return work.at >= max(signs_since[0] + _Bound.every, published_at[0] + PUBLISHED_MIN)


def _rotate(
    work: Work, rows: Mapping[str, SigningKeyRow], fresh: RSAKey, *, now: bool = False
) -> str:
    """Let the next of the locked keys sign, and return its id.

    Raises: KeyTooYoung, KeyNotFound.
    """
    upcoming = next((row for row in rows.values() if row.state == "next"), None)
    if upcoming is None:
        raise KeyNotFound
    ready_at = upcoming.created_at + PUBLISHED_MIN
    if not now and work.at < ready_at:
        raise KeyTooYoung(ready_at=ready_at.isoformat(timespec="minutes"))
    for row in rows.values():
        if row.state == "current":
            row.state, row.private_wrapped = "previous", None
            row.kept_until = work.at + KEPT_FOR
    _promote(work, upcoming, fresh)
    details = {"now": now}
    audit.record(work, action="signing_key.rotated", subject=f"key:{upcoming.kid}", details=details)
    return upcoming.kid


def _promote(work: Work, upcoming: SigningKeyRow, fresh: RSAKey) -> None:
    """Let the next key sign and publish a new one; the old one has left its state before."""
    work.session.flush()  # one key signs at a time, and the index says so at every statement
    upcoming.state, upcoming.promoted_at = "current", work.at
    work.session.flush()  # as above: the place of the next key must be free
    _insert(work, fresh, "next")


def revoke_key(actor: Actor, kid: str) -> None:
    """Believe nothing any more that this key has signed; another takes its place at once.

    Locks: the keys that sign or will.
    Raises: KeyNotFound.
    """
    fresh, spare = _new_key(), _new_key()
    with unit_of_work(_scope(actor)) as work:
        rows = _lock(work)
        row = rows.get(kid)
        if row is None or row.state == "revoked":
            raise KeyNotFound
        was = row.state
        row.state, row.private_wrapped, row.revoked_at = "revoked", None, work.at
        work.session.flush()  # its place must be free for the key that follows
        upcoming = next((other for other in rows.values() if other.state == "next"), None)
        if was == "current" and upcoming is not None:
            _promote(work, upcoming, fresh)
        elif was == "current":
            _insert(work, spare, "current")
        _insert(work, fresh, "next")
        audit.record(work, action="signing_key.revoked", subject=f"key:{kid}", details={"was": was})
    refresh_trust()


def _scope(actor: Actor) -> Scope:
    return replace(PLATFORM, actor=actor)
