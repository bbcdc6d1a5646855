"""Roles to choose one of, as people tell them apart: by organisation, role and shop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from giftpad import identity, shops, tenancy
from giftpad.kernel.work import Scope, unit_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChoice:
    """A role that somebody may go on with."""

    value: str
    """What the form sends: tenant and membership."""
    tenant: tenancy.Tenant
    role: str
    shop: str
    """The name of its shop; empty for a role of the whole tenant."""


def name_roles(memberships: Iterable[identity.Membership]) -> list[RoleChoice]:
    """Return roles with what tells them apart, in the order given."""
    found = list(memberships)
    wanted: dict[UUID, set[UUID]] = {}
    for each in found:
        if each.shop_id is not None:
            wanted.setdefault(each.tenant_id, set()).add(each.shop_id)
    names: dict[UUID, tuple[str, str]] = {}
    for tenant_id, ids in wanted.items():
        with unit_of_work(Scope(tenant_id=tenant_id)) as work:
            names |= shops.find_names(work, ids)
    return [
        RoleChoice(
            value=f"{each.tenant_id}.{each.id}",
            tenant=tenancy.get_tenant(each.tenant_id),
            role=each.role,
            shop=names[each.shop_id][1] if each.shop_id in names else "",
        )
        for each in found
    ]
