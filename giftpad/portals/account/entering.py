"""Opening a session for somebody who has proved themselves, and sending them on."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request

from giftpad import identity
from giftpad.edge import start_session
from giftpad.portals.account.places import after_sign_in
from giftpad.portals.http import see_other


def enter(
    person_id: UUID,
    tenant_id: UUID,
    membership_id: UUID,
    *,
    wanted: str | None = None,
    proof: str | None = None,
) -> Response:
    """Sign this browser in with a new session, and go where they wanted.

    Raises: SessionOver, ConnectionOpen.
    """
    opened = identity.open_session(
        person_id,
        tenant_id,
        membership_id,
        user_agent=request.user_agent.string,
        proof=proof,
    )
    response = see_other(after_sign_in(wanted, opened.membership.role))
    start_session(response, opened)
    return response
