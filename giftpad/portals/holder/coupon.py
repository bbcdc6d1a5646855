"""The page behind the QR of a coupon: what any phone's camera opens.

The address with the code is answered by another address: the code goes into a sealed cookie, out
of the address bar and the history.  Nothing on the server changes by it.
"""

from __future__ import annotations

from flask import Blueprint, Response, g, url_for

from giftpad import edge
from giftpad.portals.holder.opened import Opened, close, find_opened, keep_open, open_by_qr
from giftpad.portals.holder.pages import (
    as_holder_pages,
    draw_again,
    draw_balance,
    draw_shops,
)
from giftpad.portals.holder.standing import find_programme
from giftpad.portals.http import see_other
from giftpad.portals.shop.readings import make_reading

bp = Blueprint("holder", __name__)
as_holder_pages(bp)


@bp.get("/Q/<path:tail>", merge_slashes=False)
@edge.public("whoever holds a coupon reads its QR with any camera")
def read_qr(tail: str) -> Response:
    """Open the coupon whose QR was read, and leave its address at once."""
    g.page_path = url_for(".index")  # what goes wrong is not to repeat the code either
    opened = open_by_qr(tail)
    response = see_other(".take_payment" if _is_at_till(opened) else ".index")
    keep_open(response, opened)
    return response


def _is_at_till(opened: Opened) -> bool:
    """Whether somebody is signed in here who takes payments for the tenant of the coupon."""
    caller = edge.find_caller()
    return (
        caller is not None
        and caller.tenant.id == opened.tenant.id
        and caller.claims.shop_id is not None
        and "payments:accept" in caller.claims.permissions
    )


@bp.get("/balance/pay")
@edge.requires("payments:accept")
def take_payment() -> Response:
    """Hand the coupon that a clerk's own camera has read over to the shop app."""
    opened = find_opened()
    if opened is None or not _is_at_till(opened):
        return see_other(".index")
    reading = make_reading(opened.locator)
    response = see_other("shop.pad", reading=reading)
    close(response)
    return response


@bp.get("/balance")
@edge.public("the sealed cookie says which coupon its holder has shown")
def index() -> Response | str:
    """Show what is left on the coupon that is open here."""
    opened = find_opened()
    if opened is None:
        return draw_again(None)
    response = Response(
        draw_balance(opened, shops_path=url_for(".list_shops")), mimetype="text/html"
    )
    keep_open(response, opened)
    return response


@bp.get("/balance/shops")
@edge.public("the sealed cookie says which coupon its holder has shown")
def list_shops() -> str:
    """List the shops where the coupon that is open here can be spent."""
    opened = find_opened()
    if opened is None:
        return draw_again(None)
    return draw_shops(opened.tenant, find_programme(opened), back_path=url_for(".index"))


@bp.post("/balance/close")
@edge.public("whoever has a coupon open may close it")
def close_coupon() -> Response:
    """Close the coupon, to look at another one or to leave the phone to somebody else."""
    opened = find_opened()
    if opened is None:
        response = see_other("holder.index")
    else:
        response = see_other("holder_tenant.index", slug=opened.tenant.slug)
    close(response)
    return response
