"""A gift that is an amount: its basket, keeping what is left, and the code that shops take.

Hides: that what is kept is a coupon like any other, looked at as its holder looks at paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, request

from giftpad import coupons, edge, gifts, programmes
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work, unit_of_work
from giftpad.portals.gift.basket import read_basket
from giftpad.portals.gift.letter import RECEIVE
from giftpad.portals.gift.opened import (
    is_mine,
    keep_draft,
    keep_mine,
    locator,
    read_draft,
    read_letter,
)
from giftpad.portals.gift.pages import as_gift_pages, draw_of, stand_at
from giftpad.portals.holder.opened import Opened
from giftpad.portals.holder.standing import Standing, look_at
from giftpad.portals.http import form_key, new_key, see_other
from giftpad.portals.lists import read_number
from giftpad.portals.programme_names import programme_locale, programme_name
from giftpad.portals.qr import DrawnQr, draw_qr

KEPT = mark("It is kept. Show this code in a shop.")
LOOK_AGAIN = mark("Something was changed in another window. Please look at it once more.")

bp = Blueprint("gift_balance", __name__)
as_gift_pages(bp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """A kept balance on its holder's screen; ``drawn`` None where it cannot be spent."""

    kept: gifts.KeptView
    standing: Standing
    drawn: DrawnQr | None
    typed_code: str = ""


@bp.get("/g/basket")
@edge.requires(RECEIVE)
def show_basket() -> Response | str:
    """Show what the balance shall buy, what it costs and what is left then."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if letter.state != "open" or letter.kind != gifts.BALANCE:
            return see_other("gift.index")
        basket = read_basket(work, letter)
    return draw_of(letter, "gift/basket.html", basket=basket)


@bp.post("/g/basket")
@edge.requires(RECEIVE)
def take_out() -> Response:
    """Take something out of the basket."""
    place = read_number(request.form.get("place", ""))
    response = see_other(".show_basket")
    if place is not None:
        keep_draft(response, read_draft().take_out(place))
    return response


@bp.get("/g/keep")
@edge.requires(RECEIVE)
def ask_keep() -> Response:
    """Say what keeping means before it is done."""
    with unit_of_work(edge.current_scope()) as work:
        return _draw_keep(work, read_letter(work))


def _draw_keep(work: Work, letter: gifts.Letter, *, lacks: bool = False) -> Response:
    """Draw what keeping means; a program that sends every form has not ticked what it asks."""
    programme = _programme_of(work, letter)
    if programme is None:
        return see_other("gift.index")
    html = draw_of(
        letter,
        "gift/keep.html",
        programme=programme,
        draft=read_draft(),
        key=new_key(),
        lacks="sure" if lacks else "",
        **_holding(),
    )
    return Response(html, HTTPStatus.UNPROCESSABLE_ENTITY if lacks else HTTPStatus.OK)


def _programme_of(work: Work, letter: gifts.Letter) -> programmes.Programme | None:
    """Return the programme that what is left can be kept in now, or None."""
    if letter.state != "open" or letter.programme_id is None:
        return None
    return programmes.get_programme(work, letter.programme_id)


def _holding() -> dict[str, object]:
    """Return what the parts of a holder's page are drawn with."""
    return {"programme_name_of": programme_name, "programme_locale_of": programme_locale}


@bp.post("/g/keep")
@edge.requires(RECEIVE)
def keep() -> Response:
    """Keep what is left, once however often it is sent."""
    stand_at(".ask_keep")
    try:
        with unit_of_work(edge.current_scope()) as work:
            letter = read_letter(work)
            if letter.state == "open" and request.form.get("left") != str(letter.left_minor):
                return see_other(".ask_keep", say=LOOK_AGAIN, kind="warning")
            if letter.state == "open" and request.form.get("sure") != "1":
                return _draw_keep(work, letter, lacks=True)
            # A key of the browser for the amount it was shown: pressed twice, it is kept once.
            key = f"keep:{form_key()}:{locator()}"
            gifts.keep(work, gifts.KeepOrder(gift_id=letter.gift_id, key=key, locator=locator()))
    except (gifts.GiftOver, gifts.GiftWrongState):
        return see_other("gift.index")
    response = see_other(".show_kept", say=KEPT)
    keep_mine(response)
    return response


@bp.get("/g/balance")
@edge.requires(RECEIVE)
def show_kept() -> Response | str:
    """Show what is kept and the code that shops read, where it was kept and nowhere else."""
    with unit_of_work(edge.current_scope()) as work:
        letter = read_letter(work)
        if not letter.kept or not is_mine():
            return see_other("gift.index")
        screens = [coupons.get_screen(work, each.locator) for each in letter.kept]
    tenant = edge.current_caller().tenant
    purses = []
    for kept, screen in zip(letter.kept, screens, strict=True):
        standing = look_at(Opened(tenant, kept.locator))
        is_live = standing.state in ("live", "not_begun")
        purses.append(
            Purse(
                kept=kept,
                standing=standing,
                drawn=draw_qr(screen.qr_text) if is_live else None,
                typed_code=screen.typed_code if is_live else "",
            )
        )
    response = Response(
        draw_of(letter, "gift/kept.html", purses=purses[::-1], **_holding()),
        mimetype="text/html",
    )
    keep_mine(response, forgets=False)
    return response
