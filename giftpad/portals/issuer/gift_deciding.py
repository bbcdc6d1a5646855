"""Last steps of a gift order: its figures, submitting, approving, taking it back.

Hides: what a second press or another tab is told; money is held here, so that each of these forms
carries a key and asks for a fresh second step.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from giftpad import gifts, identity, messaging
from giftpad.edge import current_caller, current_scope, requires
from giftpad.guard import KeyReused, StillRunning
from giftpad.kernel.errors import Conflict, DomainError, Invalid, Rejected
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Form, LongWords, PlainForm, read_instant, refused
from giftpad.portals.hands import find_hands
from giftpad.portals.http import do_once, new_key, see_other
from giftpad.portals.issuer.gift_shown import (
    draw,
    find_design,
    name_goods,
    name_people,
    read_prepared,
)

bp = Blueprint("deciding", __name__)

REASON_LENGTH_MAX = 300
TOTAL_LENGTH_MAX = 18
SUBMITTED = mark("Handed in. What it costs is set aside. Now somebody else approves it.")
STARTED = mark("Handed in and approved at once. The gifts go out.")
APPROVED = mark("Approved. The gifts go out when they are due.")
SENT_BACK = mark("Sent back with your reason. What was set aside is free again.")
WITHDRAWN = mark("It is a draft again. What was set aside is free again.")
DONE_BEFORE = mark("This was done already. It stands as you see here.")
DISCARDED = mark("The draft is thrown away, with its recipients.")
SAMPLE_SENT = mark("Sent to {address}. It opens the preview and no gift.")
NO_ADDRESS = mark("Your account has no mail address to send it to.")

Answer = Response | tuple[str, int]


class RefusalForm(Form):
    """Why an order is not approved."""

    reason = LongWords(mark("Reason"), most=REASON_LENGTH_MAX)


@bp.get("/<uuid:order_id>/check")
@requires("gifts:read")
def check(order_id: UUID) -> str | Response:
    """Show what would be sent to whom and what it costs, before anything is."""
    return _draw_check(order_id, PlainForm(None), key=new_key())


def _draw_check(order_id: UUID, form: Form, *, key: str) -> str | Response:
    scope = current_scope()
    with unit_of_work(scope) as work:
        prepared = read_prepared(work, order_id)
        last_day = gifts.find_last_day(work, order_id)
    if prepared.order.state != "draft":
        return see_other("desk_gifts.one", order_id=order_id)
    draft = prepared.order.draft
    return draw(
        "check",
        step="check",
        order=prepared.order,
        prepared=prepared,
        course_name=prepared.goods,
        look=find_design(draft.design),
        last_day=last_day,
        form=form,
        key=key,
        sample_key=new_key(),
        hands=[] if "gifts:order" in scope.permissions else find_hands("gifts:order"),
        needs_approval=_needs_approval(prepared),
        approved_within_days=gifts.APPROVED_WITHIN.days,
    )


def _needs_approval(prepared: Any) -> bool:
    estimate = prepared.estimate
    return estimate is None or estimate.cost.total_minor > prepared.contract.approve_above_minor


def _seen() -> tuple[datetime, int]:
    """Return when the order that a form shows was changed last, and what it cost there.

    A form that does not say so shows no order that there is.
    """
    changed_at, _, total = request.form.get("seen", "").partition(" ")
    try:
        return read_instant(changed_at), int(total[:TOTAL_LENGTH_MAX])
    except ValueError:
        return datetime.min.replace(tzinfo=UTC), -1


@bp.post("/<uuid:order_id>/submit")
@requires("gifts:order", fresh=True)
def submit(order_id: UUID) -> Answer:
    """Hand the order in and hold what it costs; pressed twice, it is done once."""
    try:
        with unit_of_work(current_scope()) as work:
            seen, total_minor = _seen()
            do_once(
                work,
                lambda: gifts.submit_order(work, order_id, seen=seen, total_minor=total_minor),
            )
            state = gifts.get_order(work, order_id).state
    except gifts.OrderWrongState:
        # Another tab was faster.
        return see_other("desk_gifts.one", say=DONE_BEFORE, kind="info", order_id=order_id)
    except (StillRunning, KeyReused):
        raise  # money may have moved by the first press: that is said on a page of its own
    except (Conflict, Invalid, Rejected, messaging.ChannelMissing) as refusal:
        form = PlainForm(None)
        status = refused(form, refusal)
        drawn = _draw_check(order_id, form, key=new_key())
        return drawn if isinstance(drawn, Response) else (drawn, status)
    said = SUBMITTED if state == "submitted" else STARTED
    return see_other("desk_gifts.one", say=said, order_id=order_id)


@bp.post("/<uuid:order_id>/sample")
@requires("gifts:order")
def send_sample(order_id: UUID) -> Answer:
    """Send the letter to whoever prepares the order; once for the form's key."""
    person = current_caller().person
    found = _own_address()
    if person is None or found is None:
        return see_other(
            "desk_gifts.deciding.check", say=NO_ADDRESS, kind="error", order_id=order_id
        )
    path = url_for("desk_gifts.design.specimen", order_id=order_id)
    try:
        with unit_of_work(current_scope()) as work:
            do_once(
                work,
                lambda: gifts.send_sample(work, order_id, to=found, name=person.name, path=path),
            )
    except (Rejected, messaging.ChannelMissing) as refusal:
        form = PlainForm(None)
        status = refused(form, refusal)
        drawn = _draw_check(order_id, form, key=new_key())
        return drawn if isinstance(drawn, Response) else (drawn, status)
    params = {"address": found}
    return see_other("desk_gifts.deciding.check", say=SAMPLE_SENT, params=params, order_id=order_id)


def _own_address() -> str | None:
    """Return the mail address of the reader; somebody on a visit has none here."""
    person = current_caller().person
    members = identity.list_members(current_scope())
    return next((m.email for m in members if person and m.person_id == person.id), None)


def draw_waiting(order: gifts.OrderView, form: RefusalForm | None = None, *, key: str = "") -> str:
    """Draw an order that waits for its approval or its day, with what the reader may do."""
    scope = current_scope()
    with unit_of_work(scope) as work:
        goods = name_goods(work, order)
        counts = gifts.count_lines(work, order.id)
        budget = gifts.get_budget(work)
    return draw(
        "waiting",
        order=order,
        course_name=goods,
        look=find_design(order.draft.design),
        counts=counts,
        budget_minor=budget,
        people=name_people(scope, order),
        is_own=order.submitted_by == scope.actor.id,
        hands=find_hands("gifts:approve") if order.state == "submitted" else [],
        form=form or RefusalForm(None),
        key=key or new_key(),
    )


def _decide(
    order_id: UUID, effect: Callable[[Work], object], form: RefusalForm | None = None
) -> Answer | None:
    """Do what a form decides, once for its key; None if it is done, else what to answer."""
    try:
        with unit_of_work(current_scope()) as work:
            do_once(work, lambda: effect(work))
    except (StillRunning, KeyReused):
        raise
    except DomainError as refusal:
        if not isinstance(refusal, Conflict | Rejected):
            raise
        shown = form or RefusalForm(None)
        status = refused(shown, refusal)
        with unit_of_work(current_scope()) as work:
            order = gifts.get_order(work, order_id)
        if order.state not in ("submitted", "approved"):
            return see_other("desk_gifts.one", say=DONE_BEFORE, kind="info", order_id=order_id)
        return draw_waiting(order, shown), status
    return None


@bp.post("/<uuid:order_id>/approve")
@requires("gifts:approve", fresh=True)
def approve(order_id: UUID) -> Answer:
    """Let the gifts of an order go out; whoever handed it in cannot."""
    seen, _ = _seen()
    answer = _decide(order_id, lambda work: gifts.approve_order(work, order_id, seen=seen))
    return answer or see_other("desk_gifts.one", say=APPROVED, order_id=order_id)


@bp.post("/<uuid:order_id>/send-back")
@requires("gifts:approve", fresh=True)
def send_back(order_id: UUID) -> Answer:
    """Make a submitted order a draft again, with the reason."""
    form = RefusalForm(request.form)
    if not form.is_right():
        with unit_of_work(current_scope()) as work:
            order = gifts.get_order(work, order_id)
        return draw_waiting(order, form, key=request.form.get("key", "")), 422
    reason = str(form.reason.data)
    answer = _decide(order_id, lambda work: gifts.send_back(work, order_id, reason=reason), form)
    return answer or see_other("desk_gifts.index", say=SENT_BACK)


@bp.post("/<uuid:order_id>/withdraw")
@requires("gifts:order", fresh=True)
def withdraw(order_id: UUID) -> Answer:
    """Make an order a draft again before any gift of it is issued."""
    answer = _decide(order_id, lambda work: gifts.withdraw_order(work, order_id))
    return answer or see_other("desk_gifts.one", say=WITHDRAWN, order_id=order_id)


@bp.get("/<uuid:order_id>/discard")
@requires("gifts:order")
def ask_discard(order_id: UUID) -> str | Response:
    """Say what is lost when a draft is thrown away."""
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        counts = gifts.count_lines(work, order_id)
    if order.state != "draft":
        return see_other("desk_gifts.one", order_id=order_id)
    return draw("discard", order=order, counts=counts, key=new_key())


@bp.post("/<uuid:order_id>/discard")
@requires("gifts:order")
def discard(order_id: UUID) -> Answer:
    """Throw a draft away, with its recipients; pressed twice, it is gone once."""
    with unit_of_work(current_scope()) as work:
        do_once(work, lambda: gifts.discard_order(work, order_id))
    return see_other("desk_gifts.index", say=DISCARDED)
