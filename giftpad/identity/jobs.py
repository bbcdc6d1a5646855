"""Scheduled work of identity."""

from __future__ import annotations

from giftpad import tenancy
from giftpad.identity.commands.invitations import purge_invitations
from giftpad.identity.commands.revocations import purge_revocations
from giftpad.identity.commands.sessions import purge_sessions
from giftpad.kernel.work import Scope, unit_of_work


def purge_old(scope: Scope) -> int:
    """Delete what is kept no longer: invitations of a tenant; sessions and revocations of all.

    The last two lie in the platform tenant.  Returns how many rows went.
    """
    with unit_of_work(scope) as work:
        count = purge_invitations(work)
        if scope.tenant_id == tenancy.PLATFORM_TENANT_ID:
            count += purge_revocations(work) + purge_sessions(work)
    return count
