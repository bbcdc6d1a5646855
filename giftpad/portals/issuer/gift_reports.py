"""Taking an order away: every gift of it as CSV or XLSX, and the links that are handed over.

Hides: reading page by page while it is sent; links are on record before a byte of them leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, stream_with_context

from giftpad import audit, gifts, sheets
from giftpad.edge import current_scope, requires
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.portals.downloads import XLSX, attachment, csv_head
from giftpad.portals.issuer.gift_shown import CHANNEL_WORDS
from giftpad.portals.issuer.gift_words import GIFT_STATES, say_claim, say_letter, write_reach
from giftpad.portals.words import say_in_words, sheet_when

bp = Blueprint("reports", __name__)

PAGE = 200
HEAD = (
    mark("Row"),
    mark("Name"),
    mark("Reference"),
    mark("Way of sending"),
    mark("Goes to"),
    mark("State"),
    mark("Letter"),
    mark("Sent at"),
    mark("Delivered at"),
    mark("Opened at"),
    mark("Ended at"),
    mark("Last day to claim a gift"),
    mark("Value of one gift"),
    mark("Left"),
    mark("Kept for shops"),
    mark("Spent in shops"),
    mark("Claim"),
    mark("What became of the claim"),
    mark("Thanks"),
)
LINK_HEAD = (mark("Row"), mark("Name"), mark("Reference"), mark("Link to the gift"))


def _cells(view: gifts.GiftView) -> tuple[object, ...]:
    thanks = view.thanks
    claims = [view.claim] if view.claim is not None else list(view.items)
    said = ""
    if thanks is not None:
        stamp = say_in_words(gifts.STAMP_WORDS[thanks.stamp]) if thanks.stamp else ""
        said = " ".join(filter(None, (stamp, thanks.words)))
    moments = (view.sent_at, view.delivered_at, view.opened_at, view.ended_at)
    return (
        view.number,
        view.name,
        view.external_id,
        say_in_words(CHANNEL_WORDS[view.channel]),
        write_reach(view.address),
        say_in_words(GIFT_STATES[view.state][1]),
        say_in_words(say_letter(view)),
        *(sheet_when(at) if at is not None else "" for at in moments),
        view.claim_by,
        view.value_minor,
        view.left_minor,
        sum(each.amount_minor for each in view.kept),
        sum(each.spent_minor for each in view.kept),
        " ".join(claim.number for claim in claims),
        " ".join(say_in_words(say_claim(claim)[1]) for claim in claims),
        said,
    )


def _rows(scope: Scope, order_id: UUID) -> Iterator[tuple[object, ...]]:
    """Read the gifts page by page, each in a short transaction of its own."""
    after: int | None = 0
    while after is not None:
        with unit_of_work(scope) as work:
            listed = gifts.list_gifts(work, order_id, after=after, limit=PAGE)
        yield from map(_cells, listed.items)
        after = listed.next_after


def record_taking(order_id: UUID, kind: str) -> gifts.OrderView:
    """Put on record that names and addresses of an order are taken away."""
    with unit_of_work(current_scope()) as work:
        order = gifts.get_order(work, order_id)
        audit.record(
            work,
            action="gift_order.report_taken",
            subject=f"gift_order:{order_id}",
            details={"number": order.number, "kind": kind},
        )
    return order


@bp.get("/<uuid:order_id>/report.csv")
@requires("gifts:support")
def csv(order_id: UUID) -> Response:
    """Take every gift of an order away as CSV."""
    order = record_taking(order_id, "csv")
    lines = chain([csv_head(HEAD)], map(sheets.write_line, _rows(current_scope(), order_id)))
    return attachment(stream_with_context(lines), f"gifts-{order.number}.csv")


@bp.get("/<uuid:order_id>/report.xlsx")
@requires("gifts:support")
def xlsx(order_id: UUID) -> Response:
    """Take every gift of an order away as a workbook."""
    order = record_taking(order_id, "xlsx")
    header: list[Any] = [say_in_words(words) for words in HEAD]
    pieces = sheets.stream_xlsx(header, _rows(current_scope(), order_id))
    return attachment(stream_with_context(pieces), f"gifts-{order.number}.xlsx", XLSX)


@bp.get("/<uuid:order_id>/links.csv")
@requires("gifts:order")
def links(order_id: UUID) -> Response:
    """Take out the links that are handed over; whoever holds one can claim its gift."""
    scope = current_scope()
    with unit_of_work(scope) as work:
        gifts.open_links(work, order_id)
        number = gifts.get_order(work, order_id).number
    return attachment(_links(scope, order_id, csv_head(LINK_HEAD)), f"links-{number}.csv")


def _links(scope: Scope, order_id: UUID, head: str) -> Iterator[str]:
    yield head
    after = 0
    while True:
        with unit_of_work(scope) as work:
            found = gifts.list_links(work, order_id, after=after)
        if not found:
            return
        yield "".join(map(sheets.write_line, found))
        after = found[-1][0]
