"""What handlers have given up: by tenant, letter by letter, and putting it back with a reason.

Hides: that it is put back in one tenant at a time, and how far it has come since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import edge, health, tenancy
from giftpad.events import DeadLetter
from giftpad.kernel.errors import Conflict
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Form, WholeNumber, Words, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.operator.access import platform_scope
from giftpad.portals.polling import pause_s

bp = Blueprint("operator_dead", __name__, url_prefix="/operator/dead")

REASON_MOST = 300


class RedriveForm(Form):
    """How many dead letters are put back, the oldest first, and why."""

    count = WholeNumber(mark("How many, the oldest first"), least=1, most=health.DEAD_SHOWN_MAX)
    reason = Words(mark("Why now?"), most=REASON_MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """One tenant and what was given up in it."""

    tenant: tenancy.Tenant
    letters: list[DeadLetter]

    @property
    def count(self) -> int:
        """How many events there are; one may be given up by several handlers."""
        return len({letter.event_id for letter in self.letters})


def _read(tenant: tenancy.Tenant) -> Dead:
    return Dead(tenant=tenant, letters=list(health.list_dead(tenant)))


def _tenant(slug: str) -> tenancy.Tenant:
    found = tenancy.find_tenant_by_slug(slug)
    if found is None:
        raise health.RedriveNotFound
    return found


@bp.get("")
@edge.requires("operations:read")
def index() -> str:
    """List the tenants in which something was given up."""
    with unit_of_work(platform_scope()) as work:
        outbox = health.read_health(work).find("outbox")
    found = [
        _read(tenant)
        for tenant in tenancy.list_tenants()
        if outbox is None or outbox["tenants"].get(str(tenant.id), {}).get("dead")
    ]
    return page(
        "operator/dead/index.html", nav_here="dead", found=[each for each in found if each.letters]
    )


def _draw(dead: Dead, form: RedriveForm, key: str) -> str:
    return page("operator/dead/one.html", nav_here="dead", dead=dead, form=form, key=key)


@bp.get("/<slug>")
@edge.requires("operations:read")
def one(slug: str) -> str:
    """Show what was given up in one tenant, and ask how many to put back, and why."""
    platform_scope()
    dead = _read(_tenant(slug))
    form = RedriveForm()
    form.count.data = str(dead.count)
    return _draw(dead, form, new_key())


@bp.post("/<slug>")
@edge.requires("operations:act")
def redrive(slug: str) -> Response | tuple[str, int]:
    """Put dead letters back, once for each form."""
    scope = platform_scope()
    tenant = _tenant(slug)
    form = RedriveForm(request.form)
    key = request.form.get("key", "")
    if not form.is_right():
        return _draw(_read(tenant), form, key), 422

    def effect() -> UUID:
        done = health.redrive(
            scope, tenant=tenant, count=form.count.known, reason=form.reason.data or ""
        )
        return done.id

    try:
        with unit_of_work(scope) as work:
            redrive_id = do_once(work, effect)
    except Conflict as error:
        status = refused(form, error)
        return _draw(_read(tenant), form, key), status
    return see_other("operator_dead.progress", redrive_id=redrive_id)


def _read_run(redrive_id: UUID) -> dict[str, Any]:
    with unit_of_work(platform_scope()) as work:
        run = health.find_redrive(work, redrive_id)
        return {"run": run, "poll_s": None if run.is_over else pause_s(run.at, work.at)}


@bp.get("/runs/<uuid:redrive_id>")
@edge.requires("operations:read")
def progress(redrive_id: UUID) -> str:
    """Show how far those are that were put back together."""
    return page("operator/dead/run.html", nav_here="dead", **_read_run(redrive_id))


@bp.get("/runs/<uuid:redrive_id>/live")
@edge.requires("operations:read")
def live(redrive_id: UUID) -> str:
    """Draw the changing part of that page anew."""
    return page("operator/dead/_run.html", **_read_run(redrive_id))
