"""Printed cards of an order: how their files stand, and taking them out.

Hides: that a file is on record before a byte of it leaves.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from giftpad import gifts
from giftpad.edge import current_scope, requires
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.downloads import attachment
from giftpad.portals.http import do_once, see_other

bp = Blueprint("cards", __name__)

PRINTING_AGAIN = mark("The cards are being printed again, with the same codes.")


@bp.get("/<uuid:order_id>/cards/<int:number>.pdf")
@requires("gifts:order")
def pdf(order_id: UUID, number: int) -> Response:
    """Take a file of cards out; whoever holds a card can claim its gift."""
    with unit_of_work(current_scope()) as work:
        (ticket,) = gifts.open_cards(work, order_id, number=number)
    data = gifts.read_cards(ticket.tenant_id, ticket.print_id, ticket.file_id, sha256=ticket.sha256)
    if data is None:
        raise gifts.PrintGone
    return attachment(data, ticket.file_name, "application/pdf")


@bp.post("/<uuid:order_id>/cards/print-again")
@requires("gifts:order")
def print_again(order_id: UUID) -> Response:
    """Have the files that failed or are gone printed anew, with the same codes."""
    with unit_of_work(current_scope()) as work:
        gifts.get_order(work, order_id)
        do_once(work, lambda: gifts.print_again(work, order_id))
    return see_other("desk_gifts.one", say=PRINTING_AGAIN, order_id=order_id)
