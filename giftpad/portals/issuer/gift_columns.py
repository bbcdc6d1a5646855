"""A file of recipients whose encoding or columns had to be guessed: shown before it is taken.

Hides: where the file waits meanwhile, that what somebody says of its columns is remembered.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for

from giftpad import gifts
from giftpad.edge import current_scope, requires
from giftpad.kernel.errors import Conflict, Invalid
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.forms import Form, refused
from giftpad.portals.http import see_other
from giftpad.portals.issuer.gift_shown import draw
from giftpad.portals.words import say_in_words

bp = Blueprint("columns", __name__)

FILE_PATIENCE_S = 240
"""A hundred thousand people are judged and sealed in one transaction: all of them or none."""
COLUMN_WORDS = {
    "name": mark("Name"),
    "mail": mark("Mail address"),
    "phone": mark("Mobile number"),
    "channel": mark("Way of sending"),
    "external_id": mark("Reference"),
    "note": mark("A word for this person"),
    "locale": mark("Language"),
    "postcode": mark("Postcode"),
    "prefecture": mark("Prefecture"),
    "city": mark("City, town or village"),
    "street": mark("Address or street and number"),
    "building": mark("Building and room"),
}
"""What the columns of a file of recipients are called at the desk."""
NO_NAME = mark("Say which column holds the names.")
TWICE = mark("Two columns are for the same: {column}. Choose one of them.")


class ColumnsForm(Form):
    """Nothing but what was refused: its choices are drawn from the file's columns."""


def _read(order_id: UUID, form: ColumnsForm, chosen: list[str] | None = None) -> dict[str, Any]:
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        data = gifts.find_file(work, order_id)
        look = (
            None
            if data is None
            else gifts.look_at_recipients(work, data, channel=order.draft.channel)
        )
    return {
        "order": order,
        "look": look,
        "fields": chosen if chosen is not None else list(look.fields) if look else [],
        "column_words": COLUMN_WORDS,
        "form": form,
        "replaces": request.values.get("replaces") == "yes",
        "has_heading": request.form.get("heading") != "no",
    }


def _draw(values: dict[str, Any]) -> str:
    return draw("columns", step="recipients", **values)


@bp.get("/<uuid:order_id>/recipients/columns")
@requires("gifts:order")
def show(order_id: UUID) -> str | Response:
    """Show the first rows as they were read, and ask what each column is for."""
    values = _read(order_id, ColumnsForm(None))
    if values["look"] is None:
        return see_other("desk_gifts.recipients.show", order_id=order_id)
    return _draw(values)


@bp.post("/<uuid:order_id>/recipients/columns")
@requires("gifts:order")
def take(order_id: UUID) -> Response | tuple[str, int]:
    """Take the file as its columns were named."""
    g.page_path = url_for(".show", order_id=order_id)
    form = ColumnsForm(request.form)
    chosen = [name if name in COLUMN_WORDS else "" for name in request.form.getlist("field")]
    values = _read(order_id, form, chosen)
    look: gifts.Look | None = values["look"]
    if look is None:
        return see_other("desk_gifts.recipients.show", order_id=order_id)
    form.refusal = _fault(chosen)
    status = 422
    if form.refusal is None:
        try:
            _take(order_id, values, chosen)
        except (Invalid, Conflict) as refusal:
            status = refused(form, refusal)
        else:
            return see_other("desk_gifts.recipients.show", order_id=order_id)
    return _draw(values), status


def _fault(chosen: list[str]) -> str | None:
    for field, words in COLUMN_WORDS.items():
        if chosen.count(field) > 1:
            return say_in_words(TWICE, column=say_in_words(words))
    return None if "name" in chosen else say_in_words(NO_NAME)


def _take(order_id: UUID, values: dict[str, Any], chosen: list[str]) -> None:
    with unit_of_work(current_scope(), patience_s=FILE_PATIENCE_S) as work:
        data = gifts.find_file(work, order_id)
        if data is None:
            return  # another window was faster
        gifts.take_file(
            work,
            order_id,
            data,
            fields=chosen,
            replaces=values["replaces"],
            has_heading=values["has_heading"],
        )
