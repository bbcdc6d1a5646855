"""A tenant's own page: its programmes and shops, and the balance of a code typed by hand."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, g, request, url_for

from giftpad import coupons, edge, guard, programmes, tenancy
from giftpad.kernel.clock import local_date
from giftpad.kernel.codes import parse_typed
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Form, Words
from giftpad.portals.holder.opened import (
    find_opened,
    guess_key,
    keep_open,
    open_by_typed,
    scope_of,
)
from giftpad.portals.holder.pages import (
    as_holder_pages,
    draw,
    draw_again,
    draw_balance,
    draw_shops,
)
from giftpad.portals.holder.places import list_running
from giftpad.portals.http import see_other

TYPED_LENGTH_MAX = 60
NOT_RIGHT = mark("That number does not look right. Please check it again.")
NOTHING_TYPED = mark("Type the payment number.")
IS_SERIAL = mark("That is the No. of the coupon. Type the payment number: the 16 signs.")

bp = Blueprint("holder_tenant", __name__)
as_holder_pages(bp)


class CodeForm(Form):
    """The code that is printed below the QR."""

    code = Words(mark("Payment number"), most=TYPED_LENGTH_MAX)


def _tenant_of(slug: str) -> tenancy.Tenant:
    """Return the tenant whose pages these are.

    Raises: TenantNotFound.
    """
    tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None or tenant.id == tenancy.PLATFORM_TENANT_ID:
        raise tenancy.TenantNotFound
    g.holder_tenant = tenant
    return tenant


def _draw(tenant: tenancy.Tenant, form: CodeForm) -> str:
    with unit_of_work(scope_of(tenant)) as work:
        running = list_running(work, local_date(work.at, tenant.zone))
    return draw("holder/tenant.html", tenant, form=form, running=running)


@bp.get("/t/<slug>/")
@edge.public("a tenant's page is for everybody")
def index(slug: str) -> str:
    """Show the tenant's page, with the form for a code."""
    return _draw(_tenant_of(slug), CodeForm())


@bp.post("/t/<slug>/")
@edge.public("whoever holds a coupon types its code; wrong ones are counted")
def read_typed(slug: str) -> Response | tuple[str, int]:
    """Open the coupon whose code was typed; a slip of the keyboard is told and not counted."""
    tenant = _tenant_of(slug)
    guard.check_failures(guess_key())
    form = CodeForm(request.form)
    if form.is_right():
        symbols = parse_typed(form.code.data)
        if symbols is not None:
            response = see_other(".show_balance", slug=slug)
            keep_open(response, open_by_typed(tenant, symbols))
            return response
        is_serial = coupons.parse_serial(form.code.data) is not None
        form.refuse("code", IS_SERIAL if is_serial else NOT_RIGHT)
    elif not form.code.data:
        form.code.errors = []
        form.refuse("code", NOTHING_TYPED)
    return _draw(tenant, form), HTTPStatus.UNPROCESSABLE_ENTITY


@bp.get("/t/<slug>/balance")
@edge.public("the sealed cookie says which coupon its holder has shown")
def show_balance(slug: str) -> Response | str:
    """Show what is left on the coupon that is open here, if it is this tenant's."""
    tenant = _tenant_of(slug)
    opened = find_opened()
    if opened is None or opened.tenant.id != tenant.id:
        return draw_again(tenant)
    response = Response(
        draw_balance(opened, shops_path=url_for("holder.list_shops")), mimetype="text/html"
    )
    keep_open(response, opened)
    return response


@bp.get("/t/<slug>/shops")
@edge.public("the list of shops is for everybody")
def list_shops(slug: str) -> str:
    """List the shops of the tenant that accept coupons now, of one programme or of any."""
    tenant = _tenant_of(slug)
    return draw_shops(
        tenant,
        _programme_of(tenant, request.args.get("programme", "")),
        back_path=url_for(".index", slug=slug),
    )


def _programme_of(tenant: tenancy.Tenant, slug: str) -> programmes.Programme | None:
    if not slug:
        return None
    with unit_of_work(scope_of(tenant)) as work:
        return programmes.find_programme_by_slug(work, slug)


@bp.get("/t/<slug>/accessibility")
@edge.public("a policy is for everybody")
def show_accessibility(slug: str) -> str:
    """Show how these pages are meant to be usable by everybody, and whom to tell when not."""
    return draw("holder/accessibility.html", _tenant_of(slug))
