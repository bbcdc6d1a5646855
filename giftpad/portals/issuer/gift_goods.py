"""Second step of a gift order: the course that its recipients choose from, or an amount.

Hides: what is asked for an amount only, and which programmes take gifts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import catalog, gifts
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import Invalid, NotFound
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Choice, Form, WholeNumber, refused
from giftpad.portals.http import see_other
from giftpad.portals.issuer.gift_shown import (
    draw,
    list_keeping,
    name_course,
)
from giftpad.portals.programme_names import programme_name

bp = Blueprint("goods", __name__)

KINDS = (
    (gifts.COURSE, mark("One thing of a course")),
    (gifts.BALANCE, mark("An amount")),
)
SAY_WHERE = mark("Say what it is for: a programme, goods at their own price, or both.")
BETWEEN = mark("Write an amount between {least} and {most} yen.")


class GoodsForm(Form):
    """Which course; or how much, to be kept in which programme, and to buy what."""

    kind = Choice(mark("What each of them gets"), list(KINDS), required=False)
    course = Choice(mark("Course"), holds_names=True, required=False)
    amount = WholeNumber(
        mark("Amount for each person"),
        least=1,
        most=gifts.AMOUNT_MINOR_MAX,
        sentence=BETWEEN,
        required=False,
        counted_in="円",
    )
    programme = Choice(mark("Can be kept for shops of"), holds_names=True, required=False)
    buys = Choice(mark("Can buy goods at their own price"), holds_names=True, required=False)

    @property
    def is_balance(self) -> bool:
        """Whether an amount is given."""
        return bool(self.kind.data == gifts.BALANCE)


def _read(order_id: UUID, typed: Any) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        today = local_date(work.at, current_caller().tenant.zone)
        courses = catalog.list_courses(work, on=today)
        keeping = list_keeping(work, today)
        contract = gifts.get_contract(work)
    form = GoodsForm(typed, data=_said(order.draft))
    named = [(str(course.id), name_course(course)) for course in courses]
    form.course.choices = named
    form.buys.choices = [("", ""), *named]
    form.programme.choices = [("", ""), *((str(each.id), programme_name(each)) for each in keeping)]
    return {
        "order": order,
        "form": form,
        "courses": courses,
        "keeping": keeping,
        "name_course": name_course,
        "fees": [(name, contract.fee_of(name)) for name in gifts.CHANNELS],
    }


def _said(draft: gifts.OrderDraft) -> dict[str, str]:
    course = str(draft.course_id or "")
    is_balance = draft.kind == gifts.BALANCE
    return {
        "kind": draft.kind,
        "course": "" if is_balance else course,
        "amount": str(draft.amount_minor or ""),
        "programme": str(draft.programme_id or ""),
        "buys": course if is_balance else "",
    }


@bp.get("/<uuid:order_id>/goods")
@requires("gifts:order")
def show(order_id: UUID) -> str:
    """Ask for the course or the amount."""
    return _draw(_read(order_id, None))


def _draw(values: dict[str, Any]) -> str:
    values["form"].amount.is_required = values["form"].is_balance
    return draw("goods", step="goods", **values)


@bp.post("/<uuid:order_id>/goods")
@requires("gifts:order")
def save(order_id: UUID) -> Response | tuple[str, int]:
    """Save what is given and go on."""
    g.page_path = url_for(".show", order_id=order_id)
    values = _read(order_id, request.form)
    form: GoodsForm = values["form"]
    if not _is_right(form):
        return _draw(values), 422
    try:
        with unit_of_work(current_scope()) as work:
            draft = gifts.get_order(work, order_id).draft
            gifts.change_order(work, order_id, _changed(draft, form))
    except (Invalid, NotFound) as refusal:
        status = refused(form, refusal)
        return _draw(values), status
    return see_other("desk_gifts.recipients.show", order_id=order_id)


def _is_right(form: GoodsForm) -> bool:
    """Whether all is there that this kind of gift needs."""
    form.is_right()
    if not form.is_balance and not form.course.data:
        form.refuse("course", mark("Choose one of these."))
    if form.is_balance and form.amount.number is None and not form.amount.errors:
        form.refuse("amount", BETWEEN, least=1, most=gifts.AMOUNT_MINOR_MAX)
    if form.is_balance and not form.programme.data and not form.buys.data:
        form.refuse("programme", SAY_WHERE)
    return not form.faults


def _changed(draft: gifts.OrderDraft, form: GoodsForm) -> gifts.OrderDraft:
    """Return the draft with what the form says; of the other kind nothing is left."""
    if not form.is_balance:
        return replace(
            draft,
            kind=gifts.COURSE,
            course_id=UUID(form.course.data),
            amount_minor=None,
            programme_id=None,
        )
    return replace(
        draft,
        kind=gifts.BALANCE,
        course_id=UUID(form.buys.data) if form.buys.data else None,
        amount_minor=form.amount.number,
        programme_id=UUID(form.programme.data) if form.programme.data else None,
    )
