"""What is believed no more before its time is over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from giftpad.identity.models import RevocationRow
from giftpad.identity.queries import PLATFORM, refresh_trust
from giftpad.identity.rules import CLOCK_LEEWAY_S, TOKEN_LIFE_MAX_S, Claims
from giftpad.kernel.work import Actor, Work, rows_changed, unit_of_work

KEPT_FOR = timedelta(seconds=TOKEN_LIFE_MAX_S + 10 * CLOCK_LEEWAY_S)
"""How long it is remembered that a client or a session is believed no more."""


def revoke(work: Work, kind: str, value: str, *, kept_until: datetime) -> None:
    """Believe a client, session or token no more; ``work`` is of the platform tenant."""
    work.session.execute(
        insert(RevocationRow)
        .values(
            tenant_id=work.tenant_id,
            kind=kind,
            value=value,
            created_at=work.at,
            kept_until=kept_until,
        )
        .on_conflict_do_update(
            index_elements=["tenant_id", "kind", "value"], set_={"kept_until": kept_until}
        )
    )


def disbelieve_sessions(actor: Actor, session_ids: Collection[UUID]) -> None:
    """Believe sessions no more: at once in this process, within 30 seconds elsewhere."""
    if session_ids:
        with unit_of_work(replace(PLATFORM, actor=actor)) as work:
            for session_id in session_ids:
                revoke(work, "session", str(session_id), kept_until=work.at + KEPT_FOR)
        refresh_trust()


def revoke_token(actor: Actor, claims: Claims) -> None:
    """Believe one token no more, everywhere within 30 seconds; it has an id to know it by."""
    assert claims.token_id
    over_at = datetime.fromtimestamp(claims.expires_at, tz=UTC)
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        kept_until = over_at + timedelta(seconds=2 * CLOCK_LEEWAY_S)
        revoke(work, "token", claims.token_id, kept_until=kept_until)


def purge_revocations(work: Work) -> int:
    """Delete revocations whose tokens are over by themselves; return how many."""
    return rows_changed(
        work.session.execute(
            sa.delete(RevocationRow).where(
                RevocationRow.tenant_id == work.tenant_id, RevocationRow.kept_until < work.at
            )
        )
    )
