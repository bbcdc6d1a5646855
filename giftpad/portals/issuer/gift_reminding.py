"""Reminding those of an order who are selected on its board: whom it reaches, whom not, and why.

Hides: how a selection is told from page to page, and that a large one is written to bit by bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for
from werkzeug.datastructures import MultiDict

from giftpad import gifts
from giftpad.edge import current_scope, requires
from giftpad.guard import KeyReused, StillRunning
from giftpad.kernel.errors import Conflict
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.forms import Form, PlainForm, read_instant, refused
from giftpad.portals.http import do_once, new_key, see_other
from giftpad.portals.issuer.gift_shown import draw
from giftpad.portals.issuer.gift_words import FILTER_WORDS

bp = Blueprint("reminding", __name__)

WORD_LENGTH_MAX = 200
REMINDED = (
    mark("Reminders written: {n}."),
    mark("Reminders written: {n}. In the quiet hours nothing is sent: they leave at {at}."),
    mark("Reminders written: {n}. The letters wait until sending goes on."),
)
GOES_ON = (
    mark("Reminders written: {n}. The others follow by themselves."),
    mark(
        "Reminders written: {n}. The others follow by themselves. In the quiet hours nothing is"
        " sent: they leave at {at}."
    ),
    mark(
        "Reminders written: {n}. The others follow by themselves. The letters wait until sending"
        " goes on."
    ),
)
"""What is said when they leave at once, when the night is over, when the pause is over."""
LEFT_OUT: Mapping[str, str] = {
    "claimed": mark("Have chosen already"),
    "over": mark("Can be claimed no more"),
    "passed_on": mark("Were passed on to somebody else"),
    "no_address": mark("Got no mail and no SMS from here"),
    "no_way": mark("Cannot be sent from here at present"),
    "undelivered": mark("Did not get the letter: mend the address"),
    "waiting": mark("The letter has not left yet"),
    "twice": mark("Were reminded twice by hand already"),
    "lately": mark("Were written to less than a day ago"),
    "stopped": mark("Want no letters, or their address is wrong"),
}
"""Why somebody is not reminded, in the order in which it is told."""
MANY = "+"
"""Behind a number: others follow."""

Answer = Response | tuple[str, int]


def _selection(order_id: UUID, said: MultiDict[str, str]) -> gifts.Selection:
    """Return what a board shows, or a form says that it showed."""
    shown = said.get("show", "")
    return gifts.Selection(
        order_id=order_id,
        shown=shown if shown in gifts.FILTERS else "all",
        word=said.get("q", "").strip()[:WORD_LENGTH_MAX],
    )


def _asked(selection: gifts.Selection) -> dict[str, Any]:
    """Return what the address of a board says that shows a selection."""
    return {"q": selection.word} if selection.word else {"show": selection.shown}


def _draw(selection: gifts.Selection, form: Form, *, key: str) -> str:
    with unit_of_work(current_scope()) as work:
        told_at = work.at
        order = gifts.get_order(work, selection.order_id)
        told = gifts.look_at_reminders(work, selection)
        leaving = gifts.get_leaving(work, order.run_id)
    return draw(
        "remind",
        order=order,
        told=told,
        told_at=told_at,
        left_out=[
            (words, told.left_out[name])
            for name, words in LEFT_OUT.items()
            if told.left_out.get(name)
        ],
        selection=selection,
        selection_words=FILTER_WORDS[selection.shown],
        leaving=leaving,
        back=url_for("desk_gifts.one", order_id=order.id, **_asked(selection)) + "#gifts",
        form=form,
        key=key,
    )


@bp.get("/<uuid:order_id>/remind")
@requires("gifts:support")
def ask(order_id: UUID) -> str:
    """Say in numbers whom of a selection a reminder reaches, and why not the others."""
    return _draw(_selection(order_id, request.args), PlainForm(None), key=new_key())


@bp.post("/<uuid:order_id>/remind")
@requires("gifts:support")
def remind(order_id: UUID) -> Answer:
    """Write to whoever of a selection can be reminded; pressed twice, it is written once.

    If they are more than the page showed, it is drawn anew and nobody is written to.
    """
    selection, form = _selection(order_id, request.form), PlainForm(request.form)
    g.page_path = url_for("desk_gifts.one", order_id=order_id)
    try:
        with unit_of_work(current_scope()) as work:
            told = do_once(work, lambda: _begin(work, selection))
            leaving = gifts.get_leaving(work, gifts.get_order(work, order_id).run_id)
    except (StillRunning, KeyReused):
        raise  # it may have been done by the first press: that is said on a page of its own
    except Conflict as refusal:
        status = refused(form, refusal)
        return _draw(selection, form, key=request.form.get("key", "")), status
    at_once, later, paused = GOES_ON if told.endswith(MANY) else REMINDED
    said = paused if leaving.is_paused else later if leaving.rests_until else at_once
    params = {"n": int(told.removesuffix(MANY)), "at": leaving.rests_until}
    return see_other(
        "desk_gifts.one", say=said, params=params, order_id=order_id, **_asked(selection)
    )


def _begin(work: Work, selection: gifts.Selection) -> str:
    seen = request.form.get("seen", 0, type=int)
    seen_at = request.form.get("seen_at", None, type=read_instant)
    count, goes_on = gifts.begin_reminding(work, selection, seen=seen, seen_at=seen_at)
    return f"{count}{MANY if goes_on else ''}"
