"""Scheduled work of identity."""

from __future__ import annotations

from giftpad import tenancy
from giftpad.identity.commands.revocations import purge_revocations
from giftpad.kernel.work import Scope, unit_of_work


def purge_old_revocations(scope: Scope) -> int:
    """Delete revocations of tokens that are over by themselves; they lie in the platform tenant."""
    if scope.tenant_id != tenancy.PLATFORM_TENANT_ID:
        return 0
    with unit_of_work(scope) as work:
        return purge_revocations(work)
