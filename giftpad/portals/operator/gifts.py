"""Gift orders of all tenants, those that have stopped first, and starting one again.

Hides: that the board is what was measured last, while one order is read as it stands.  Nobody's
name, address or words are on these pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import edge, gifts, health, tenancy
from giftpad.kernel.errors import Conflict
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Form, Words, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.operator.access import platform_scope

bp = Blueprint("operator_gifts", __name__, url_prefix="/operator/gifts")

REASON_MOST = 300
REFRESH_S, ORDER_REFRESH_S = 30, 5
STARTED = mark("Started again: {n}. What is done already is not done twice.")
TROUBLES: Mapping[str, str] = {
    "not_started": mark("Its hour has passed, and it has not begun"),
    "not_issuing": mark("It is being issued, and nothing moves: {n} to go"),
    "letters_wait": mark("Letters wait, and none leaves: {n}"),
    "letters_failed": mark("Letters that could not be sent: {n}"),
    "letters_unknown": mark("Letters of which nobody knows: {n}"),
    "cards_missing": mark("Files of cards that are not there: {n}"),
    "not_approved": mark("Its hour has passed, and nobody has approved it"),
    "too_late": mark("Its last day is over, and these gifts are not issued: {n}"),
    "letters_paused": mark("Its letters are paused: {n}"),
    "letters_bounced": mark("Letters that came back: {n}"),
    "parcels_late": mark("Parcels that should be there: {n}"),
}
"""What an order is stuck at, for an operator."""
WAITS_FOR: Mapping[str, str] = {
    "not_approved": mark("waits for its approver"),
    "too_late": mark("waits for the sender, who can take it back"),
    "letters_paused": mark("go on with giftpad mail resume"),
    "letters_bounced": mark("waits for the sender"),
    "parcels_late": mark("waits for the supplier"),
}
"""Whom it waits for where starting again does not help."""


class RedriveForm(Form):
    """Why an order is started again."""

    reason = Words(mark("Why now?"), most=REASON_MOST)


def _names() -> dict[str, tenancy.Tenant]:
    return {tenant.slug: tenant for tenant in tenancy.list_tenants()}


def _read() -> dict[str, Any]:
    with unit_of_work(platform_scope()) as work:
        board = health.read_gift_orders(work)
    return {
        "board": board,
        "tenants": _names(),
        "refresh_s": REFRESH_S,
        "trouble_words": TROUBLES,
        "waits_for": WAITS_FOR,
    }


@bp.get("")
@edge.requires("operations:read")
def index() -> str:
    """Show the gift orders under way, those that have stopped first."""
    return page("operator/gifts/index.html", nav_here="orders", **_read())


@bp.get("/live")
@edge.requires("operations:read")
def live() -> str:
    """Draw the changing part of that page anew."""
    return page("operator/gifts/_board.html", **_read())


def _tenant(slug: str) -> tenancy.Tenant:
    found = tenancy.find_tenant_by_slug(slug)
    if found is None or found.id == tenancy.PLATFORM_TENANT_ID:
        raise gifts.OrderNotFound
    return found


def _read_order(slug: str, order_id: UUID) -> dict[str, Any]:
    tenant = _tenant(slug)
    return {
        "tenant_of": tenant,
        "order": health.get_gift_order(tenant, order_id),
        "refresh_s": ORDER_REFRESH_S,
        "trouble_words": TROUBLES,
        "waits_for": WAITS_FOR,
    }


def _draw(slug: str, order_id: UUID, form: RedriveForm, key: str) -> str:
    values = _read_order(slug, order_id)
    return page("operator/gifts/one.html", nav_here="orders", form=form, key=key, **values)


@bp.get("/<slug>/<uuid:order_id>")
@edge.requires("operations:read")
def one(slug: str, order_id: UUID) -> str:
    """Show what one order is stuck at, and ask why it is started again."""
    platform_scope()
    return _draw(slug, order_id, RedriveForm(), new_key())


@bp.get("/<slug>/<uuid:order_id>/live")
@edge.requires("operations:read")
def one_live(slug: str, order_id: UUID) -> str:
    """Draw the changing part of that page anew."""
    platform_scope()
    return page("operator/gifts/_one.html", **_read_order(slug, order_id))


@bp.post("/<slug>/<uuid:order_id>")
@edge.requires("operations:act")
def redrive(slug: str, order_id: UUID) -> Response | tuple[str, int]:
    """Start an order again where it stands, once for each form."""
    scope = platform_scope()
    tenant = _tenant(slug)
    form = RedriveForm(request.form)
    key = request.form.get("key", "")
    if not form.is_right():
        return _draw(slug, order_id, form, key), 422

    def effect() -> int:
        return health.redrive_gift_order(
            scope, tenant=tenant, order_id=order_id, reason=form.reason.data or ""
        )

    try:
        with unit_of_work(scope) as work:
            count = int(do_once(work, effect))
    except Conflict as error:
        status = refused(form, error)
        return _draw(slug, order_id, form, key), status
    return see_other(
        "operator_gifts.one", say=STARTED, params={"n": count}, slug=slug, order_id=order_id
    )
