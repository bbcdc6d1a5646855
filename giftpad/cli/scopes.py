"""Which tenants a command is about."""

from __future__ import annotations

from collections.abc import Iterator

import click

from giftpad import tenancy
from giftpad.kernel.work import Actor, Scope

OPERATOR = Actor(kind="system", id="cli", client_id="cli")


def tenant_scopes(slug: str | None) -> Iterator[tuple[tenancy.Tenant, Scope]]:
    """Return one tenant with its scope, or all of them, the platform included.

    Raises: click.UsageError if there is no such tenant.
    """
    if slug is None:
        tenants = list(tenancy.list_tenants())
    else:
        found = tenancy.find_tenant_by_slug(slug)
        if found is None:
            message = f"There is no tenant called {slug}. See: giftpad tenant list"
            raise click.UsageError(message)
        tenants = [found]
    for tenant in tenants:
        yield tenant, Scope(tenant_id=tenant.id, actor=OPERATOR)
