"""The health page: what must be done, and every figure with the time it was measured.

Hides: that the page stands when the database does not.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, request

from giftpad import edge, health, tenancy
from giftpad.kernel.errors import Unavailable
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.http import page
from giftpad.portals.operator.access import platform_scope
from giftpad.portals.operator.shown import Shown, second_clock, show, show_nothing

bp = Blueprint("operator_health", __name__, url_prefix="/operator/health")

REFRESH_S = 30
SEEN_LENGTH_MAX = 4000


def _read(scope: Scope, seen: frozenset[str]) -> Shown:
    try:
        with unit_of_work(scope) as work:
            found = health.read_health(work)
        tenants = [t for t in tenancy.list_tenants() if t.id != tenancy.PLATFORM_TENANT_ID]
    except Unavailable:
        return show_nothing(datetime.now(UTC), seen)
    return show(found, tenants, seen)


def _refreshes() -> bool:
    return request.args.get("refresh") != "off"


@bp.get("")
@edge.requires("operations:read")
def index() -> str:
    """Show how the installation is."""
    shown = _read(platform_scope(), frozenset())
    return page(
        "operator/health/index.html",
        nav_here="health",
        shown=shown,
        announces=False,
        refresh_s=REFRESH_S if _refreshes() else None,
        every_s=REFRESH_S,
        second_clock=second_clock,
    )


@bp.get("/live")
@edge.requires("operations:read")
def live() -> str:
    """Draw the page's changing part anew; say aloud what was not there before."""
    seen = frozenset(request.args.get("seen", "")[:SEEN_LENGTH_MAX].split(","))
    return page(
        "operator/health/_live.html",
        shown=_read(platform_scope(), seen),
        announces=True,
        refresh_s=REFRESH_S,
        every_s=REFRESH_S,
        second_clock=second_clock,
    )
