"""Second step of a gift order: the course that its recipients choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import catalog, gifts
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.clock import local_date
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Choice, Form
from giftpad.portals.http import see_other
from giftpad.portals.issuer.gift_shown import (
    OFFERED,
    draw,
    name_course,
)

bp = Blueprint("goods", __name__)


class GoodsForm(Form):
    """Which course."""

    course = Choice(mark("Course"), holds_names=True)


def _read(order_id: UUID, typed: Any) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        today = local_date(work.at, current_caller().tenant.zone)
        courses = catalog.list_courses(work, on=today)
        contract = gifts.get_contract(work)
    chosen = order.draft.course_id
    form = GoodsForm(typed, data={"course": str(chosen) if chosen else ""})
    form.course.choices = [(str(course.id), name_course(course)) for course in courses]
    return {
        "order": order,
        "form": form,
        "courses": courses,
        "name_course": name_course,
        "fees": [(name, contract.fee_of(name)) for name in OFFERED],
    }


@bp.get("/<uuid:order_id>/goods")
@requires("gifts:order")
def show(order_id: UUID) -> str:
    """Ask for the course."""
    return _draw(_read(order_id, None))


def _draw(values: dict[str, Any]) -> str:
    return draw("goods", step="goods", **values)


@bp.post("/<uuid:order_id>/goods")
@requires("gifts:order")
def save(order_id: UUID) -> Response | tuple[str, int]:
    """Save the course and go on."""
    g.page_path = url_for(".show", order_id=order_id)
    values = _read(order_id, request.form)
    form: GoodsForm = values["form"]
    if not form.is_right():
        return _draw(values), 422
    with unit_of_work(current_scope()) as work:
        draft = gifts.get_order(work, order_id).draft
        gifts.change_order(work, order_id, replace(draft, course_id=UUID(form.course.data)))
    return see_other("desk_gifts.recipients.show", order_id=order_id)
