"""Codes without names: taking them out as a file, all of them or part by part.

Hides: reading page by page while the file is sent; it is on record before a byte of it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from flask import Blueprint, Response, request, stream_with_context

from giftpad import gifts, sheets
from giftpad.edge import current_scope, requires
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.downloads import attachment, csv_head
from giftpad.portals.issuer.gift_shown import name_goods
from giftpad.portals.lists import number_asked

bp = Blueprint("codes", __name__)

HEAD = (mark("Number"), mark("Link to the gift"), mark("Gift"), mark("Last day to claim a gift"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A part of the codes of an order, by its first and its last number."""

    number: int
    first: int
    last: int


def list_volumes(order: gifts.OrderView) -> list[Volume]:
    """Return the parts that the codes of an order can be taken out in; none where one is all."""
    if order.quantity <= gifts.VOLUME:
        return []
    firsts = range(1, order.quantity + 1, gifts.VOLUME)
    return [
        Volume(number=number, first=first, last=min(first + gifts.VOLUME - 1, order.quantity))
        for number, first in enumerate(firsts, 1)
    ]


@bp.get("/<uuid:order_id>/codes.csv")
@requires("gifts:order")
def csv(order_id: UUID) -> Response:
    """Take the codes out, or one volume of them; whoever holds one can claim its gift."""
    scope = current_scope()
    volume = number_asked("volume") if "volume" in request.args else None
    with unit_of_work(scope) as work:
        taken = gifts.open_codes(work, order_id, volume=volume)
        goods = name_goods(work, gifts.get_order(work, order_id))
    name = f"codes-{taken.order_number}" + (f"-{volume}" if volume else "")
    lines = chain([csv_head(HEAD)], _lines(scope, order_id, taken, goods))
    return attachment(stream_with_context(lines), f"{name}.csv")


def _lines(scope: Scope, order_id: UUID, taken: gifts.CodesTaken, goods: str) -> Iterator[str]:
    """Read the codes page by page, each in a short transaction of its own."""
    first = taken.first
    while first <= taken.last:
        with unit_of_work(scope) as work:
            page = gifts.list_codes(work, order_id, first=first, last=taken.last)
        if not page:
            return
        yield "".join(
            sheets.write_line((code.number, code.link, goods, code.claim_by)) for code in page
        )
        first = page[-1].number + 1
