"""Fourth step of a gift order: when its gifts go out, and until when they can be claimed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, request, url_for

from giftpad import gifts, programmes
from giftpad.edge import current_caller, current_scope, requires
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import Invalid
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import NEEDED, Choice, Day, Form, Words, refused
from giftpad.portals.http import see_other
from giftpad.portals.issuer.gift_shown import draw
from giftpad.portals.words import say_in_words

bp = Blueprint("when", __name__)

NOT_AN_HOUR = mark("Please give the hour like 9:00.")
TOO_LATE = mark("Choose a day from tomorrow to {last}.")
GONE_BY = mark("This moment has passed. Choose a later one.")


class WhenForm(Form):
    """When gifts go out, and the last day to claim one."""

    start = Choice(
        mark("When gifts go out"),
        (("now", mark("As soon as the order is approved")), ("later", mark("Not before"))),
    )
    day = Day(mark("Day"), required=False)
    hour = Words(mark("Hour"), most=5, required=False)
    claim_by = Day(mark("Last day to claim a gift"))
    passing = Choice(
        mark("May recipients pass their gift on?"),
        (("no", mark("No")), ("yes", mark("Yes, once, while nothing is chosen"))),
        required=False,
    )

    def is_right(self) -> bool:
        """Whether everything typed can be accepted; a later start has its day and hour."""
        super().is_right()
        if self.start.data == "later":
            if not self.day.data:
                self.refuse("day", NEEDED)
            if self.moment is None and not self.hour.errors:
                self.refuse("hour", NOT_AN_HOUR)
        return not self.faults

    @property
    def moment(self) -> time | None:
        """The hour that was typed, if it is one."""
        hour, _, minute = str(self.hour.data or "").partition(":")
        try:
            return time(int(hour), int(minute or 0))
        except ValueError:
            return None


def _form(typed: Any, order: gifts.OrderView, last_day: date) -> WhenForm:
    zone = ZoneInfo(current_caller().tenant.zone)
    send_at = order.draft.send_at.astimezone(zone) if order.draft.send_at else None
    return WhenForm(
        typed,
        data={
            "start": "later" if send_at else "now",
            "day": send_at.date().isoformat() if send_at else "",
            "hour": f"{send_at:%-H:%M}" if send_at else "9:00",
            "passing": "yes" if order.draft.can_be_passed_on else "no",
            "claim_by": (order.draft.claim_by or last_day).isoformat(),
        },
    )


def _read(order_id: UUID, typed: Any) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        contract = gifts.get_contract(work)
        today = local_date(work.at, current_caller().tenant.zone)
        last = min(today + timedelta(days=contract.claim_days_max), _kept_until(work, order, today))
    form = _form(typed, order, min(today + timedelta(days=contract.claim_days), last))
    return {
        "order": order,
        "contract": contract,
        "form": form,
        "first": today + timedelta(days=1),
        "last": last,
    }


def _kept_until(work: Work, order: gifts.OrderView, today: date) -> date:
    """Return the last day that the programme of a balance gives it, if it goes out today."""
    if order.draft.programme_id is None:
        return date.max
    programme = programmes.get_programme(work, order.draft.programme_id)
    try:
        return programmes.coupon_validity(programme, today)[1]
    except programmes.ProgrammeOver:
        return date.max  # that it is over is said where the order is handed in


def _draw(values: dict[str, Any]) -> str:
    return draw("when", step="when", **values)


@bp.get("/<uuid:order_id>/when")
@requires("gifts:order")
def show(order_id: UUID) -> str:
    """Ask when gifts go out and until when they can be claimed."""
    return _draw(_read(order_id, None))


@bp.post("/<uuid:order_id>/when")
@requires("gifts:order")
def save(order_id: UUID) -> Response | tuple[str, int]:
    """Save the days and go on."""
    g.page_path = url_for(".show", order_id=order_id)
    values = _read(order_id, request.form)
    form: WhenForm = values["form"]
    status = 422
    if form.is_right() and form.claim_by.day and form.claim_by.day > values["last"]:
        form.claim_by.errors = [say_in_words(TOO_LATE, last=values["last"])]
    elif form.is_right():
        try:
            _keep(order_id, form)
        except gifts.OrderUnfit as fault:
            _say(form, fault, values["last"])
        except Invalid as refusal:
            status = refused(form, refusal)
    if form.faults or form.refusal:
        return _draw(values), status
    return see_other("desk_gifts.deciding.check", order_id=order_id)


def _say(form: WhenForm, fault: gifts.OrderUnfit, last: date) -> None:
    """Say at its field what the order does not take."""
    if fault.params["field"] == "send_at":
        form.refuse("day", GONE_BY)
    else:
        form.claim_by.errors = [say_in_words(TOO_LATE, last=last)]


def _keep(order_id: UUID, form: WhenForm) -> None:
    send_at = None
    if form.start.data == "later":
        assert form.day.day is not None
        zone = ZoneInfo(current_caller().tenant.zone)
        send_at = datetime.combine(form.day.day, form.moment or time(9), tzinfo=zone)
    with unit_of_work(current_scope()) as work:
        draft = gifts.get_order(work, order_id).draft
        said = replace(
            draft,
            send_at=send_at,
            claim_by=form.claim_by.day,
            can_be_passed_on=form.passing.data == "yes",
        )
        gifts.change_order(work, order_id, said)
