"""Permissions, roles, and how much a client may ask: values, no state.

Source: identity rules of ADR 0013.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from giftpad.identity.errors import (
    LimitsInvalid,
    PermissionUnknown,
    RoleShopMismatch,
    RoleUnknown,
)

PERMISSIONS = (
    "programmes:read",
    "coupons:read",
    "coupons:issue",
    "coupons:print",
    "coupons:release",
    "coupons:block",
    "catalog:read",
    "catalog:write",
    "gifts:read",
    "gifts:order",
    "gifts:approve",
    "gifts:support",
    "shops:read",
    "shops:write",
    "payments:accept",
    "payments:refund",
    "payments:read",
    "members:manage",
    "tills:manage",
    "reports:read",
    "audit:read",
)
"""What a tenant can give to its people and its machines."""
OPERATOR_PERMISSIONS = ("operations:read", "operations:act")
"""What only people of the platform hold: nobody of a tenant, and no machine."""
RECIPIENT_PERMISSIONS = ("gifts:receive",)
"""What only the token of one gift holds: no role, and no machine."""

_READING = frozenset(
    {"programmes:read", "coupons:read", "catalog:read", "gifts:read", "shops:read", "payments:read"}
)
ROLES: Mapping[str, frozenset[str]] = {
    "owner": frozenset(PERMISSIONS) - {"payments:accept"},
    "issuer": _READING
    | {
        "coupons:issue",
        "coupons:print",
        "catalog:write",
        "gifts:order",
        "gifts:support",
        "shops:write",
        "tills:manage",
        "reports:read",
    },
    "approver": _READING
    | {"coupons:release", "coupons:block", "gifts:approve", "reports:read", "audit:read"},
    "support": _READING | {"coupons:block", "gifts:support", "payments:refund"},
    "viewer": _READING | {"reports:read", "audit:read"},
    "counter": frozenset({"programmes:read", "coupons:read", "coupons:block", "shops:read"}),
    "shop_owner": frozenset(
        {
            "programmes:read",
            "shops:read",
            "payments:accept",
            "payments:refund",
            "payments:read",
            "tills:manage",
        }
    ),
    "clerk": frozenset({"shops:read", "payments:accept", "payments:read"}),
}
SHOP_ROLES = frozenset({"shop_owner", "clerk"})
OPERATOR_ROLES: Mapping[str, frozenset[str]] = {
    "operator": frozenset(OPERATOR_PERMISSIONS),
    "operator_viewer": frozenset({"operations:read"}),
}
"""Roles of whoever runs the installation; they exist in the platform tenant and nowhere else."""
_VISITING = _READING | {"reports:read", "audit:read"}
VISIT_ROLES: Mapping[str, frozenset[str]] = {
    "visitor": _VISITING | {"coupons:block"},
    "visiting_viewer": _VISITING,
}
"""Roles of an operator in a tenant for a while; nobody can give them.  None makes, releases or
moves anything of value, and none manages members."""
VISITS_AS: Mapping[str, str] = {"operator": "visitor", "operator_viewer": "visiting_viewer"}
"""As what somebody of the platform visits a tenant."""
VISIT_LASTS_S = (900, 3600, 14400)
"""How long a visit may last."""
VISIT_REASON_LEAST, VISIT_REASON_MOST = 10, 300
_ALL_ROLES = {**ROLES, **OPERATOR_ROLES, **VISIT_ROLES}
LIMIT_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a client may ask: requests a second, at once, and codes that are none."""

    rate_s: int = 50
    burst: int = 100
    failed_codes_max: int = 300


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A role of a person, in a tenant or in one shop of it.

    A visit of an operator is one too, good only ``until`` its end, by their role
    ``visits_from`` in the platform.
    """

    id: UUID
    person_id: UUID
    tenant_id: UUID
    org_id: str
    role: str
    shop_id: UUID | None
    until: datetime | None = None
    visits_from: UUID | None = None

    @property
    def visit_id(self) -> UUID | None:
        """Which visit this is; None for a role that somebody was given."""
        return self.id if self.until is not None else None

    @property
    def permissions(self) -> frozenset[str]:
        """What the role may do."""
        return _ALL_ROLES[self.role]


def check_permissions(permissions: Iterable[str]) -> frozenset[str]:
    """Return the permissions as a set.

    Raises: PermissionUnknown.
    """
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise PermissionUnknown(permission=permission)
    return frozenset(permissions)


def check_role(role: str, shop_id: UUID | None, *, of_platform: bool = False) -> None:
    """Refuse a role that does not exist there or does not fit the shop.

    The platform has roles of its own, which no tenant can give, and none of a tenant's.
    Raises: RoleUnknown, RoleShopMismatch.
    """
    if role not in (OPERATOR_ROLES if of_platform else ROLES):
        raise RoleUnknown(role=role)
    if (role in SHOP_ROLES) != (shop_id is not None):
        raise RoleShopMismatch(role=role)


def check_limits(limits: Limits) -> None:
    """Refuse limits that nothing could be done with.

    Raises: LimitsInvalid.
    """
    if not all(1 <= value <= LIMIT_MAX for value in asdict(limits).values()):
        raise LimitsInvalid(most=LIMIT_MAX)
