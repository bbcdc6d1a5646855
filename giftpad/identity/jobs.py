"""Scheduled work of identity."""

from __future__ import annotations

from giftpad import tenancy
from giftpad.identity.commands.authorisations import purge_authorisations
from giftpad.identity.commands.invitations import purge_invitations
from giftpad.identity.commands.keys import rotate_due_keys
from giftpad.identity.commands.passkeys import purge_challenges
from giftpad.identity.commands.resets import purge_resets
from giftpad.identity.commands.revocations import purge_revocations
from giftpad.identity.commands.sessions import purge_sessions
from giftpad.identity.commands.visits import close_visits
from giftpad.kernel.work import Scope, unit_of_work


def close_over_visits(scope: Scope) -> int:
    """Put on record in a tenant which visits of operators are over; return how many."""
    return close_visits(scope)


def purge_old(scope: Scope) -> int:
    """Delete what is kept no longer: invitations of a tenant; sessions and revocations of all.

    The last two lie in the platform tenant.  Returns how many rows went.
    """
    with unit_of_work(scope) as work:
        count = purge_invitations(work)
        if scope.tenant_id == tenancy.PLATFORM_TENANT_ID:
            count += purge_revocations(work) + purge_sessions(work)
            count += purge_authorisations(work) + purge_resets(work) + purge_challenges(work)
    return count


def rotate_keys(scope: Scope) -> str | None:
    """Change the key that signs if it is time to; there is one for all, kept by the platform."""
    return rotate_due_keys() if scope.tenant_id == tenancy.PLATFORM_TENANT_ID else None
