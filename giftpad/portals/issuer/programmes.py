"""Programmes on the desk: their rules in words, their figures, their print runs.

Hides: nothing; a programme is changed by its reviewed settings, never on a page.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from giftpad import coupons, edge, programmes, reporting
from giftpad.kernel.clock import local_date
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.http import page
from giftpad.portals.issuer.overview import count_unreleased
from giftpad.portals.programme_names import programme_name

bp = Blueprint("desk_programmes", __name__, url_prefix="/desk/programmes")

BATCHES_SHOWN = 10
PLANNED, OPEN, OVER = mark("planned"), mark("open"), mark("over")


def _state(work: Work, programme: programmes.Programme) -> str:
    today = local_date(work.at, edge.current_caller().tenant.zone)
    if today < programme.starts_on:
        return PLANNED
    return OVER if today > programme.ends_on else OPEN


@bp.get("")
@edge.requires("programmes:read")
def index() -> str:
    """List the programmes with their figures."""
    scope = edge.current_scope()
    with unit_of_work(scope) as work:
        found = programmes.list_programmes(work, limit=programmes.PAGE_MAX).items
        rows = [(one, programme_name(one), _state(work, one)) for one in found]
    return page("issuer/programmes/index.html", nav_here="programmes", rows=rows)


@bp.get("/<uuid:programme_id>")
@edge.requires("programmes:read")
def show(programme_id: UUID) -> str:
    """Show a programme: its rules, its figures, its newest print runs."""
    scope = edge.current_scope()
    with unit_of_work(scope) as work:
        programme = programmes.get_programme(work, programme_id)
        state = _state(work, programme)
        batches: list[coupons.BatchView] = []
        if "coupons:read" in scope.permissions:
            batches = coupons.list_batches(work, programme_id=programme_id, limit=BATCHES_SHOWN)
        figures = None
        unreleased_minor = 0
        if "reports:read" in scope.permissions:
            figures = reporting.get_figures(work, programme_id)
            unreleased_minor = count_unreleased(work, programme_id, figures)
    return page(
        "issuer/programmes/show.html",
        nav_here="programmes",
        programme=programme,
        name=programme_name(programme),
        state=state,
        batches=batches,
        figures=figures,
        unreleased_minor=unreleased_minor,
    )


@bp.get("/<uuid:programme_id>/paper.png")
@edge.requires("programmes:read")
def paper(programme_id: UUID) -> Response:
    """Draw a specimen of the programme's coupon."""
    with unit_of_work(edge.current_scope()) as work:
        picture = coupons.specimen(work, programme_id)
    return Response(picture, content_type="image/png")
