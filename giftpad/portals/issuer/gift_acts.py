"""One gift at the desk: what happened to it, and what can be done about it.

Hides: which act needs a reason, a key or a fresh second step.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import audit, gifts
from giftpad.edge import current_caller, current_scope, requires
from giftpad.guard import KeyReused, StillRunning
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import Conflict, Invalid, Rejected, Unavailable
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Choice, Day, Form, PlainForm, Words, refused
from giftpad.portals.http import do_once, new_key, see_other
from giftpad.portals.issuer import deeds
from giftpad.portals.issuer.gift_moments import list_moments
from giftpad.portals.issuer.gift_shown import CHANNEL_WORDS, draw
from giftpad.portals.issuer.gift_words import (
    in_words,
    say_claim,
    say_letter,
    write_reach,
)
from giftpad.portals.issuer.naming import read_actors
from giftpad.portals.issuer.reasons import ReasonForm
from giftpad.portals.reasons import CANCEL_REASONS, REPLACE_REASONS

bp = Blueprint("acts", __name__)

ADDRESS_LENGTH_MAX = 300
DEEDS_SHOWN = 30
SENT_AGAIN = mark("Sent again.")
SENT_LATER = mark("It is written. In the quiet hours nothing is sent: it leaves at {at}.")
WAITS = mark("It is written. It leaves when sending goes on.")
SENT_ELSEWHERE = mark("The letter goes to the new address. The link stays the same.")
SENT_WITH_NEW_LINK = mark(
    "The letter goes to the new address with a new link. The old link opens nothing any more."
)
HANDED_OVER = mark(
    "You hand the link over yourself now. One that was sent before opens nothing any more."
)
EXTENDED = mark("It can be claimed until {day} now.")
CARD_REPLACED = mark("The old card opens nothing any more. The new one is being printed.")
CODE_REPLACED = mark(
    "The old code opens nothing any more. Show the link to get the new one, or take the file again."
)
CODE_REPLACED_FOR_ONE = mark(
    "The old code opens nothing any more. Show the link to get the new one."
)
CARD_SENT = mark("The old card opens nothing any more. A letter goes out instead.")
CANCELLED = mark("The gift is taken back. Its value is free again.")
REST_BEGUN = mark("{n} gifts are taken back. Their value is free again.")
REST_GOES_ON = mark("{n} gifts are taken back, and the others follow by themselves.")
STOPPED = mark("No more gifts are made. What was set aside for the others is free again.")
STOPPED_BEFORE = mark("It is a draft again. What was set aside is free again.")
NO_ADDRESS_OF_LINK = mark(
    "A link that you hand over has no address. Leave this empty, or choose mail or SMS."
)
NOT_LATER = mark("Choose a later day than now, up to {last}.")

Answer = Response | tuple[str, int]


ELSEWHERE = tuple(name for name in gifts.NAMED if name not in ("card", "letter"))
"""Cards and letters are printed with their order, and not for one alone."""


class AddressForm(Form):
    """Where a gift goes instead."""

    channel = Choice(mark("Way of sending"), [(name, CHANNEL_WORDS[name]) for name in ELSEWHERE])
    address = Words(mark("Mail address or mobile number"), most=ADDRESS_LENGTH_MAX, required=False)

    def is_right(self) -> bool:
        """Whether everything typed can be accepted; to a link no address belongs."""
        super().is_right()
        if self.channel.data == "link" and self.address.data:
            self.refuse("address", NO_ADDRESS_OF_LINK)
        return not self.faults


class ExtendForm(Form):
    """Until when a gift can be claimed instead."""

    claim_by = Day(mark("New last day"))
    words = Words(mark("Reason"), most=150)


class ReplaceForm(ReasonForm):
    """Why a card is replaced, and what goes out instead."""

    channel = Choice(
        mark("What goes out instead"),
        (
            ("card", mark("A new card, to be printed")),
            ("mail", mark("A mail")),
            ("sms", mark("An SMS")),
        ),
    )
    address = Words(
        mark("Mail address or mobile number, unless it is a card"),
        most=ADDRESS_LENGTH_MAX,
        required=False,
    )


def _read(gift_id: UUID) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        view = gifts.get_gift(work, gift_id)
        order = gifts.get_order(work, view.order_id)
        leaving = gifts.get_leaving(work, order.run_id)
        resend_max = gifts.get_contract(work).resend_max
        now = work.at
    resend_from = view.resend_from
    return {
        "read_at": now,
        "leaving": leaving,
        "resend_from": resend_from if resend_from is not None and resend_from > now else None,
        "sent_enough": view.resent >= resend_max and not view.has_not_arrived,
        "gift_view": view,
        "order": order,
        "standing": in_words(view),
        "is_open": view.state == "outstanding",
        "say_claim": say_claim,
        "letter_words": say_letter(view),
        "stamp_words": gifts.STAMP_WORDS,
    }


@bp.get("/one/<uuid:gift_id>")
@requires("gifts:read")
def one(gift_id: UUID) -> str:
    """Show one gift: how it stands, what happened to it, what can be done."""
    values = _read(gift_id)
    scope = current_scope()
    with unit_of_work(scope) as work:
        wanted = audit.EntryFilter(subjects=(f"gift:{gift_id}",), limit=DEEDS_SHOWN)
        entries = audit.list_entries(work, wanted)
    actors = read_actors(scope, [entry.actor.get("id") for entry in entries])
    return draw(
        "one",
        moments=list_moments(values["gift_view"], values["read_at"]),
        deeds=deeds.describe(entries, actors, {}),
        **values,
    )


def _act(
    gift_id: UUID, template: str, form: Form, effect: Callable[[Work], object], **more: Any
) -> Answer | str:
    """Do what a page asks, once for its key, and return its result, or the page with its faults."""
    g.page_path = url_for(".one", gift_id=gift_id)
    status = 422
    if form.is_right():
        try:
            with unit_of_work(current_scope()) as work:
                return do_once(work, lambda: effect(work))
        except (StillRunning, KeyReused):
            raise  # it may have been done by the first press: that is said on a page of its own
        except gifts.OrderUnfit as fault:
            _say_fault(form, fault)
        except gifts.PartlyTaken as refusal:
            status = refused(form, refusal, at="same_person")
        except (Conflict, Invalid, Rejected, Unavailable) as refusal:
            status = refused(form, refusal)
    return draw(template, form=form, key=request.form.get("key", ""), **_read(gift_id), **more), (
        status
    )


def _say_fault(form: Form, fault: gifts.OrderUnfit) -> None:
    """Say at its field what a gift does not take."""
    if "last" in fault.params:
        form.refuse("claim_by", NOT_LATER, last=date.fromisoformat(str(fault.params["last"])))
        return
    code = str(fault.params.get("code", "required"))
    field = "channel" if fault.params.get("field") == "channel" else "address"
    form.refuse(field, gifts.RECIPIENT_SENTENCES[code], **fault.params)


@bp.get("/one/<uuid:gift_id>/resend")
@requires("gifts:support")
def ask_resend(gift_id: UUID) -> str:
    """Say where the letter goes once more."""
    return draw("resend", form=PlainForm(None), key=new_key(), **_read(gift_id))


@bp.post("/one/<uuid:gift_id>/resend")
@requires("gifts:support")
def resend(gift_id: UUID) -> Answer:
    """Send the letter once more; pressed twice, it goes once."""
    form = PlainForm(request.form)
    answer = _act(gift_id, "resend", form, lambda work: gifts.resend(work, gift_id))
    if not isinstance(answer, str):
        return answer
    leaving = _read(gift_id)["leaving"]
    said = WAITS if leaving.is_paused else SENT_LATER if leaving.rests_until else SENT_AGAIN
    params = {"at": leaving.rests_until}
    return see_other("desk_gifts.acts.one", say=said, params=params, gift_id=gift_id)


def _is_same_person() -> bool:
    """Return whether it was ticked that a new link goes to whoever had the old one."""
    return request.form.get("same_person") == "yes"


def _where(view: gifts.GiftView) -> dict[str, str]:
    """Return where a gift goes now; of what is handed over nothing, or one press ends its link."""
    if view.channel not in ("mail", "sms"):
        return {}
    return {"channel": view.channel, "address": write_reach(view.address)}


@bp.get("/one/<uuid:gift_id>/address")
@requires("gifts:support")
def ask_address(gift_id: UUID) -> str:
    """Ask where a gift goes instead."""
    values = _read(gift_id)
    view = values["gift_view"]
    form = AddressForm(None, data=_where(view))
    return draw("address", form=form, key=new_key(), **values)


@bp.post("/one/<uuid:gift_id>/address")
@requires("gifts:support")
def change_address(gift_id: UUID) -> Answer:
    """Send a gift to another address or by another way."""
    form = AddressForm(request.form)
    answer = _act(
        gift_id,
        "address",
        form,
        lambda work: gifts.readdress(
            work,
            gift_id,
            channel=form.channel.data,
            address=form.address.data,
            same_person=_is_same_person(),
        ),
    )
    if not isinstance(answer, str):
        return answer
    said = SENT_WITH_NEW_LINK if answer == str(True) else SENT_ELSEWHERE
    if form.channel.data == "link":
        said = HANDED_OVER
    return see_other("desk_gifts.acts.one", say=said, gift_id=gift_id)


def _last_day() -> date:
    with unit_of_work(current_scope()) as work:
        today = local_date(work.at, current_caller().tenant.zone)
        return today + timedelta(days=gifts.get_contract(work).claim_days_max)


@bp.get("/one/<uuid:gift_id>/extend")
@requires("gifts:support")
def ask_extend(gift_id: UUID) -> str:
    """Ask until when a gift can be claimed."""
    values = _read(gift_id)
    return draw("extend", form=ExtendForm(None), key=new_key(), last=_last_day(), **values)


@bp.post("/one/<uuid:gift_id>/extend")
@requires("gifts:support")
def extend(gift_id: UUID) -> Answer:
    """Give a recipient more time."""
    form = ExtendForm(request.form)
    _read(gift_id)  # no gift of theirs is no gift, whatever their contract says

    def give_time(work: Work) -> None:
        assert form.claim_by.day is not None
        gifts.extend_gift(work, gift_id, form.claim_by.day, reason=form.words.data)

    answer = _act(gift_id, "extend", form, give_time, last=_last_day())
    if not isinstance(answer, str):
        return answer
    params = {"day": form.claim_by.day}
    return see_other("desk_gifts.acts.one", say=EXTENDED, params=params, gift_id=gift_id)


@bp.get("/one/<uuid:gift_id>/cancel")
@requires("gifts:order")
def ask_cancel(gift_id: UUID) -> str:
    """Say what is lost when a gift is taken back, and ask why."""
    form = ReasonForm(None, CANCEL_REASONS)
    return draw("cancel", form=form, key=new_key(), **_read(gift_id))


@bp.post("/one/<uuid:gift_id>/cancel")
@requires("gifts:order", fresh=True)
def cancel(gift_id: UUID) -> Answer:
    """Take a gift back that nobody has claimed; its value goes back."""
    form = ReasonForm(request.form, CANCEL_REASONS)
    answer = _act(
        gift_id,
        "cancel",
        form,
        lambda work: gifts.cancel_gift(work, gift_id, reason=form.reason),
    )
    if not isinstance(answer, str):
        return answer
    return see_other("desk_gifts.acts.one", say=CANCELLED, gift_id=gift_id)


@bp.get("/one/<uuid:gift_id>/replace")
@requires("gifts:support")
def ask_replace(gift_id: UUID) -> str:
    """Say what becomes of a card or a code that was lost, and ask what goes out instead."""
    values = _read(gift_id)
    is_code = values["gift_view"].channel == gifts.CODE
    card = {"why": "lost", "channel": "card"}  # of a code nobody knows where it is
    form = (ReasonForm if is_code else ReplaceForm)(
        None, REPLACE_REASONS, data={} if is_code else card
    )
    return draw("replace", form=form, key=new_key(), **values)


@bp.post("/one/<uuid:gift_id>/replace")
@requires("gifts:support")
def replace_card(gift_id: UUID) -> Answer:
    """Let a card or a code open nothing any more, and send the gift out anew."""
    view = _read(gift_id)["gift_view"]
    if view.channel == gifts.CODE:
        # One that something was chosen with is in no file.
        return _replace_code(gift_id, CODE_REPLACED_FOR_ONE if view.is_chosen else CODE_REPLACED)
    form = ReplaceForm(request.form, REPLACE_REASONS)
    channel = form.channel.data

    def effect(work: Work) -> int:
        address = form.address.data if channel != "card" else ""
        number = gifts.replace_card(
            work,
            gift_id,
            reason=form.reason,
            channel=channel,
            address=address,
            same_person=_is_same_person(),
        )
        return number or 0

    answer = _act(gift_id, "replace", form, effect)
    if not isinstance(answer, str):
        return answer
    said = CARD_REPLACED if channel == "card" else CARD_SENT
    return see_other("desk_gifts.acts.one", say=said, gift_id=gift_id)


def _replace_code(gift_id: UUID, said: str) -> Answer:
    """Give a code another link, and say so; there is nothing to be sent."""
    form = ReasonForm(request.form, REPLACE_REASONS)
    answer = _act(
        gift_id,
        "replace",
        form,
        lambda work: gifts.replace_code(
            work, gift_id, reason=form.reason, same_person=_is_same_person()
        ),
    )
    if not isinstance(answer, str):
        return answer
    return see_other("desk_gifts.acts.one", say=said, gift_id=gift_id)


@bp.post("/one/<uuid:gift_id>/link")
@requires("gifts:support")
def link(gift_id: UUID) -> Answer:
    """Show the link that somebody hands over; that it was shown is on record."""
    g.page_path = url_for(".one", gift_id=gift_id)
    form = PlainForm(request.form)
    shown, status = "", 200
    try:
        with unit_of_work(current_scope()) as work:
            shown = gifts.show_link(work, gift_id)
    except Conflict as refusal:
        status = refused(form, refusal)
    return draw("link", form=form, link=shown, **_read(gift_id)), status


@bp.get("/<uuid:order_id>/stop")
@requires("gifts:order")
def ask_stop(order_id: UUID) -> str:
    """Say in numbers what it means to issue no more gifts of an order."""
    return _draw_stop(order_id, ReasonForm(None, CANCEL_REASONS), key=new_key())


def _draw_stop(order_id: UUID, form: Form, *, key: str) -> str:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
    return draw("stop", order=order, left=order.quantity - order.issued, form=form, key=key)


@bp.post("/<uuid:order_id>/stop")
@requires("gifts:order", fresh=True)
def stop(order_id: UUID) -> Answer:
    """Issue no more gifts of an order; what is issued stays, the rest of the money is free."""
    form = ReasonForm(request.form, CANCEL_REASONS)
    if not form.is_right():
        return _draw_stop(order_id, form, key=request.form.get("key", "")), 422
    try:
        with unit_of_work(current_scope()) as work:
            do_once(work, lambda: gifts.stop_issuing(work, order_id, reason=form.reason))
            is_draft = gifts.get_order(work, order_id).state == "draft"
    except (StillRunning, KeyReused):
        raise
    except Conflict as refusal:
        status = refused(form, refusal)
        return _draw_stop(order_id, form, key=request.form.get("key", "")), status
    said = STOPPED_BEFORE if is_draft else STOPPED
    return see_other("desk_gifts.one", say=said, order_id=order_id)


@bp.get("/<uuid:order_id>/cancel-rest")
@requires("gifts:order")
def ask_cancel_rest(order_id: UUID) -> str:
    """Say in numbers what taking back the rest of an order does."""
    return _draw_rest(order_id, ReasonForm(None, CANCEL_REASONS), key=new_key())


def _draw_rest(order_id: UUID, form: Form, *, key: str) -> str:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        progress = gifts.get_progress(work, order_id)
    return draw("cancel_rest", order=order, progress=progress, form=form, key=key)


@bp.post("/<uuid:order_id>/cancel-rest")
@requires("gifts:order", fresh=True)
def cancel_rest(order_id: UUID) -> Answer:
    """Take back every gift of an order that nobody has claimed."""
    form = ReasonForm(request.form, CANCEL_REASONS)
    key = request.form.get("key", "")
    if not form.is_right():
        return _draw_rest(order_id, form, key=key), 422
    try:
        with unit_of_work(current_scope()) as work:
            count = int(
                do_once(work, lambda: gifts.begin_cancelling(work, order_id, reason=form.reason))
            )
            goes_on = gifts.get_progress(work, order_id).outstanding_minor > 0
    except (StillRunning, KeyReused):
        raise
    except Conflict as refusal:
        status = refused(form, refusal)
        return _draw_rest(order_id, form, key=key), status
    said = REST_GOES_ON if goes_on else REST_BEGUN
    return see_other("desk_gifts.one", say=said, params={"n": count}, order_id=order_id)
