"""Signing somebody else out: whoever runs the installation does it for a lost tablet or phone."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from giftpad.identity.commands.authorisations import end_authorisations
from giftpad.identity.commands.sessions import end_sessions_of
from giftpad.identity.errors import SessionNotFound
from giftpad.identity.models import AuthorisationRow
from giftpad.identity.queries import PLATFORM, refresh_trust
from giftpad.kernel.work import Actor, unit_of_work


def sign_out_person(actor: Actor, person_id: UUID, *, only: UUID | None = None) -> int:
    """End all browsers, apps and devices of a person, or the one of this id; return how many.

    Whatever they hold is refused everywhere within 30 seconds.
    Locks: the rows of the sessions and of the authorisations.
    Raises: SessionNotFound, if the one of this id is none of theirs or has ended.
    """
    with unit_of_work(replace(PLATFORM, actor=actor)) as work:
        which = () if only is None else (AuthorisationRow.id == only,)
        count = end_authorisations(work, person_id, *which)
        if only is None or not count:
            count += end_sessions_of(work, person_id, only=only)
        if only is not None and not count:
            raise SessionNotFound
    refresh_trust()
    return count
