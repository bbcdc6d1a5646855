"""Ordering a print run: its content, a look at the figures, the order.

Hides: the bounds of a programme; every figure on these pages is worked out here, none in the
browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import Blueprint, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from giftpad import coupons, edge, programmes
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import Invalid, NotFound
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Choice, Form, WholeNumber, refused
from giftpad.portals.http import do_once, new_key, page, see_other
from giftpad.portals.lists import filter_asked, list_href
from giftpad.portals.programme_names import programme_name

bp = Blueprint("orders", __name__)
"""Lies in that of the print runs."""

QUANTITY_MAX = 1_000_000
SHEETS = "\u679a"
"""What Japanese counts paper in."""

ORDERED = mark("Ordered. The coupons are being made. They are worth nothing until released.")


class OrderForm(Form):
    """What somebody who orders decides."""

    programme = Choice(mark("Programme"), holds_names=True)
    quantity = WholeNumber(
        mark("How many coupons"),
        least=1,
        most=QUANTITY_MAX,
        sentence=mark("Type how many coupons, as a number from {least} to {most}."),
        counted_in=SHEETS,
    )
    face_value = WholeNumber(
        mark("Value of one coupon, in yen"),
        least=1,
        most=QUANTITY_MAX,
        sentence=mark("Type the value of one coupon, as a number from {least} to {most}."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The form, and what the tenant may order."""

    form: OrderForm
    listed: tuple[programmes.Programme, ...]

    @property
    def chosen(self) -> programmes.Programme | None:
        """The programme that was chosen, if there is one."""
        wanted = self.form.programme.data
        return next((one for one in self.listed if str(one.id) == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An order as it would be carried out today."""

    programme: programmes.Programme
    quantity: int
    face_value_minor: int
    starts_on: date
    ends_on: date

    @property
    def total_minor(self) -> int:
        """What all coupons are worth together."""
        return self.quantity * self.face_value_minor


def _open(work: Work, typed: MultiDict[str, str]) -> Desk:
    listed = programmes.list_programmes(work, limit=programmes.PAGE_MAX).items
    form = OrderForm(typed)
    form.programme.choices = [(str(one.id), programme_name(one)) for one in listed]
    if len(listed) == 1 and not typed:
        form.programme.data = str(listed[0].id)
    desk = Desk(form=form, listed=listed)
    chosen = desk.chosen
    if chosen is not None:
        form.quantity.most = min(QUANTITY_MAX, chosen.quantity_max)
        form.face_value.least = chosen.face_value_min_minor
        form.face_value.most = chosen.face_value_max_minor
    return desk


def _plan(work: Work, desk: Desk) -> Plan:
    """Work out the order of a form that is right.

    Raises: ProgrammeOver.
    """
    chosen = desk.chosen
    assert chosen is not None
    today = local_date(work.at, edge.current_caller().tenant.zone)
    starts_on, ends_on = programmes.coupon_validity(chosen, today)
    return Plan(
        programme=chosen,
        quantity=desk.form.quantity.known,
        face_value_minor=desk.form.face_value.known,
        starts_on=starts_on,
        ends_on=ends_on,
    )


def _draw_content(desk: Desk) -> str:
    return page(
        "issuer/batches/new.html",
        nav_here="batches",
        form=desk.form,
        bounds=[
            (one, programme_name(one), min(QUANTITY_MAX, one.quantity_max)) for one in desk.listed
        ],
    )


@bp.get("/new")
@edge.requires("coupons:issue")
def new() -> str:
    """Ask for the content; what was typed before comes back with the address."""
    with unit_of_work(edge.current_scope()) as work:
        desk = _open(work, request.args)
    return _draw_content(desk)


@bp.get("/new/check")
@edge.requires("coupons:issue")
def check() -> str | tuple[str, int]:
    """Show what would be made, in figures, before anything is."""
    with unit_of_work(edge.current_scope()) as work:
        desk = _open(work, request.args)
        if not desk.form.is_right():
            return _draw_content(desk), 422
        try:
            plan = _plan(work, desk)
        except programmes.ProgrammeOver as refusal:
            status = refused(desk.form, refusal)
            return _draw_content(desk), status
    return page(
        "issuer/batches/check.html",
        nav_here="batches",
        plan=plan,
        name=programme_name(plan.programme),
        key=new_key(),
    )


@bp.post("")
@edge.requires("coupons:issue", fresh=True)
def order() -> Response | tuple[str, int]:
    """Order a print run; pressed twice, one is made and shown."""
    with unit_of_work(edge.current_scope()) as work:
        desk = _open(work, request.form)
    g.page_path = list_href(".new", filter_asked(desk.form))
    if not desk.form.is_right():
        return _draw_content(desk), 422
    wanted = coupons.BatchOrder(
        programme_id=UUID(desk.form.programme.data),
        quantity=desk.form.quantity.known,
        face_value_minor=desk.form.face_value.known,
    )
    try:
        with unit_of_work(edge.current_scope()) as work:
            batch_id = do_once(work, lambda: coupons.order_batch(work, wanted))
    except (Invalid, NotFound) as refusal:
        status = refused(desk.form, refusal)
        return _draw_content(desk), status
    return see_other("desk_batches.show", say=ORDERED, batch_id=batch_id)
