"""Entering a tenant for a while, with a reason that the tenant reads, and leaving it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from giftpad import edge, identity, tenancy
from giftpad.kernel.i18n import mark
from giftpad.portals.account.places import DESK, SIGN_IN
from giftpad.portals.forms import Choice, Form, Words, refused
from giftpad.portals.http import page, see_other
from giftpad.portals.operator.access import platform_scope

bp = Blueprint("operator_visits", __name__, url_prefix="/operator")

LASTS = (
    ("900", mark("15 minutes")),
    ("3600", mark("1 hour")),
    ("14400", mark("4 hours")),
)
USUAL = "3600"
LEFT = mark("You have left. The audit log of the tenant says when you came and went.")


class EnterForm(Form):
    """Why somebody enters a tenant, and for how long."""

    reason = Words(mark("Why do you enter?"), most=identity.VISIT_REASON_MOST)
    lasts = Choice(mark("For how long?"), LASTS)


def _person() -> edge.Person:
    person = edge.current_caller().person
    assert person is not None, "a page knows persons only"
    return person


def _tenant(slug: str) -> tenancy.Tenant:
    """Return the tenant that is to be entered; the platform is none.

    Raises: VisitNotFound.
    """
    found = tenancy.find_tenant_by_slug(slug)
    if found is None or found.id == tenancy.PLATFORM_TENANT_ID:
        raise identity.VisitNotFound
    return found


def _draw(tenant: tenancy.Tenant, form: EnterForm) -> str:
    return page("operator/visits/enter.html", nav_here="health", entered=tenant, form=form)


@bp.get("/visits/<slug>")
@edge.requires("operations:read")
def ask(slug: str) -> str:
    """Ask why somebody enters a tenant, and for how long."""
    platform_scope()
    return _draw(_tenant(slug), EnterForm(lasts=USUAL))


@bp.post("/visits/<slug>")
@edge.requires("operations:read")
def begin(slug: str) -> Response | tuple[str, int]:
    """Enter a tenant, in a session of its own."""
    platform_scope()
    tenant = _tenant(slug)
    form = EnterForm(request.form)
    if not form.is_right():
        return _draw(tenant, form), 422
    person = _person()
    try:
        opened = identity.begin_visit(
            person.id,
            person.session_id,
            tenant.id,
            reason=form.reason.data,
            lasts_s=int(form.lasts.data),
            user_agent=request.user_agent.string,
        )
    except identity.VisitUnfit as error:
        form.refuse("reason", error.sentence, **error.params)
        return _draw(tenant, form), 422
    except identity.VisitClosed as error:
        status = refused(form, error)
        return _draw(tenant, form), status
    response = see_other(DESK)
    edge.start_session(response, opened)
    return response


@bp.post("/leave")
@edge.requires()
def leave() -> Response:
    """Leave the tenant, back to a session of one's own."""
    person, visit_id = _person(), edge.current_caller().claims.visit_id
    visit = identity.find_visit(edge.current_scope(), visit_id) if visit_id is not None else None
    if visit is None:
        raise identity.VisitNotFound
    try:
        opened = identity.open_session(
            person.id,
            tenancy.PLATFORM_TENANT_ID,
            visit.from_membership_id,
            user_agent=request.user_agent.string,
            follows=person.session_id,
        )
    except identity.SessionOver:
        response = see_other(SIGN_IN)
        edge.end_session(response)
        return response
    response = see_other("operator_health.index", say=LEFT)
    edge.start_session(response, opened)
    return response
