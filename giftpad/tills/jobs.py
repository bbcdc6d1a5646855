"""Scheduled work of tablets."""

from __future__ import annotations

from giftpad import tenancy
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tills.commands.pairing import purge_pairings


def purge_old(scope: Scope) -> int:
    """Delete tablets that waited and are kept no longer; return how many.

    They lie in the platform tenant, so for any other there is nothing to do.
    """
    if scope.tenant_id != tenancy.PLATFORM_TENANT_ID:
        return 0
    with unit_of_work(scope) as work:
        return purge_pairings(work)
