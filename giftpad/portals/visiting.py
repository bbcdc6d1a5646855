"""What every page of a visit says: in whose house an operator is, why, and for how long yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from giftpad import edge, identity
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.work import Scope

MINUTE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The visit that a page is looked at in; what is not known right now is left out."""

    reason: str = ""
    ends_at: datetime | None = None

    @property
    def minutes_left(self) -> int:
        """How many minutes are left, the one that has begun included."""
        if self.ends_at is None:
            return 0
        left_s = (self.ends_at - datetime.now(UTC)).total_seconds()
        return max(0, ceil(left_s / MINUTE_S))


def present_visit(caller: edge.Caller | None) -> Visit | None:
    """Return the visit of whoever looks at a page; None of somebody who belongs there."""
    if caller is None or caller.claims.visit_id is None:
        return None
    try:
        found = identity.find_visit(Scope(tenant_id=caller.tenant.id), caller.claims.visit_id)
    except Unavailable:  # the page of a refusal must be drawn all the same
        found = None
    return Visit(reason=found.reason, ends_at=found.ends_at) if found is not None else Visit()
