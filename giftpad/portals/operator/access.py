"""On whose behalf an operator's page works: the platform's, and nobody else's."""

from __future__ import annotations

from giftpad import edge, tenancy
from giftpad.kernel.work import Scope


def platform_scope() -> Scope:
    """Return the operator's scope.

    No tenant can give the permissions of these pages; should one ever be found to have, it does
    not get in all the same.
    Raises: PermissionMissing.
    """
    scope = edge.current_scope()
    if scope.tenant_id != tenancy.PLATFORM_TENANT_ID:
        raise edge.PermissionMissing(permission="operations:read")
    return scope
