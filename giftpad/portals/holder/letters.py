"""The page on which somebody says that they want no more letters like the one they got."""

from __future__ import annotations

from flask import Blueprint, Response, g

from giftpad import edge, messaging, tenancy
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.holder.pages import as_holder_pages, draw
from giftpad.portals.http import see_other

bp = Blueprint("holder_letters", __name__)
as_holder_pages(bp)


def _stopped(token: str) -> tuple[tenancy.Tenant, messaging.Stopped]:
    """Return whose letters a link is about, and which address.

    Raises: HookForged.
    """
    found = messaging.find_stop(token)
    if found is None:
        raise messaging.HookForged
    g.holder_tenant = found[0]
    return found


@bp.get("/letters/stop/<token>")
@edge.public("whoever got a letter says that it is enough; the link is the proof")
def ask(token: str) -> str:
    """Ask; a program that looks at every link of a mail changes nothing by it."""
    tenant, _ = _stopped(token)
    return draw("holder/letters.html", tenant, token=token, is_done=False)


@bp.post("/letters/stop/<token>")
@edge.public("whoever got a letter says that it is enough; the link is the proof")
def stop(token: str) -> Response:
    """Send no more letters of this kind to the address of the link."""
    tenant, stopped = _stopped(token)
    # Not as other pages: whoever is suspended may still be told that it is enough.
    with unit_of_work(Scope(tenant_id=tenant.id, request_id=edge.request_id())) as work:
        messaging.suppress(work, stopped)
    return see_other(".show_done", slug=tenant.slug)


@bp.get("/letters/stopped/<slug>")
@edge.public("it says that no more letters come, and nothing of anybody")
def show_done(slug: str) -> str:
    """Say that it is done."""
    tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None or tenant.id == tenancy.PLATFORM_TENANT_ID:
        raise tenancy.TenantNotFound
    return draw("holder/letters.html", tenant, token="", is_done=True)
