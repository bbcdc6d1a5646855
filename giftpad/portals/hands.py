"""Who else can do what somebody may not do: the names to ask.

Hides: which roles hold which permission.
"""

from __future__ import annotations

from giftpad import edge, identity
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.work import Scope

NAMES_MAX = 3


def find_hands(permission: str) -> list[str]:
    """Return the names of a few colleagues of the caller who hold a permission, oldest first.

    People of shops are named in their own shop only.  No transaction may be open.
    """
    caller = edge.find_caller()
    if caller is None or caller.person is None:
        return []
    try:
        members = identity.list_members(Scope(tenant_id=caller.tenant.id))
    except Unavailable:
        return []
    names = [
        member.name
        for member in members
        if permission in identity.ROLES.get(member.role, ())
        and member.shop_id in (None, caller.claims.shop_id)
    ]
    return list(dict.fromkeys(names))[:NAMES_MAX]
