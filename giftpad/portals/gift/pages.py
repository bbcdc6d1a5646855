"""What the pages of a gift have in common: the frame, the limit, what is said when none is open."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, request, url_for

from giftpad import catalog, designs, edge, gifts, guard, tenancy
from giftpad.kernel.errors import TooMany
from giftpad.kernel.work import unit_of_work
from giftpad.portals.gift.opened import keep_typed
from giftpad.portals.gift_designs import art_href, colours_href
from giftpad.portals.http import GIFT_PREFERENCES, offer_readings, page
from giftpad.portals.pictures import picture_href
from giftpad.portals.theme import logo_href, theme_href
from giftpad.portals.words import readings_are_shown

RECIPIENT = "gift"
ADDRESS_SENT = "gift_delivery.take"
CLOSES_AFTER_S = edge.GIFT_OPEN_LEAST_S - 120
"""When a page that nobody touches says that its gift is closed in two minutes."""


def as_gift_pages(blueprint: Blueprint) -> None:
    """Let a blueprint's pages share what is said where there is no gift."""
    blueprint.before_request(offer_readings)
    blueprint.register_error_handler(gifts.GiftNotFound, _say_unknown)
    blueprint.register_error_handler(gifts.LinkChanged, _say_changed)
    blueprint.register_error_handler(edge.GiftClosed, _say_closed)
    blueprint.register_error_handler(TooMany, _say_wait)


def guess_key() -> str:
    """Return what the wrong links of this network are counted under."""
    return f"{RECIPIENT}:{edge.source_address()}"


def _say_unknown(_error: Exception) -> tuple[str, int]:
    """Answer every wrong link alike, without the link: the address is not repeated either."""
    html = draw("gift/unknown.html", tenant=None, request_path=url_for("gift.index"))
    return html, HTTPStatus.NOT_FOUND


def _say_changed(_error: Exception) -> tuple[str, int]:
    """Say that the gift has another link now; this one opens nothing, for good."""
    caller = edge.current_caller()
    locator = caller.claims.gift_locator
    assert locator is not None
    with unit_of_work(edge.current_scope()) as work:
        why = gifts.find_link_change(work, locator)
    values = {"why": why, "request_path": url_for("gift.index")}
    html = draw("gift/changed.html", tenant=caller.tenant, **values)
    return html, HTTPStatus.GONE


def _say_closed(_error: Exception) -> Response:
    """Say how to open the gift again; what was typed, and what is sent now, is there then."""
    html = draw("gift/closed.html", tenant=None, request_path=url_for("gift.index"))
    response = Response(html, HTTPStatus.UNAUTHORIZED)
    if request.endpoint == ADDRESS_SENT:
        keep_typed(response, request.form)
    return response


def _say_wait(error: Exception) -> tuple[str, int, dict[str, str]]:
    assert isinstance(error, TooMany)
    html = draw(
        "gift/wait.html",
        tenant=None,
        request_path=url_for("gift.index"),
        seconds=error.retry_after_s,
    )
    return html, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(error.retry_after_s)}


def slow_down() -> None:
    """Slow down a network that opens links faster than people do.

    Raises: RateExceeded, TooManyFailures.
    """
    guard.admit(guess_key(), guard.Rate())
    guard.check_failures(guess_key())


def draw(template: str, *, tenant: tenancy.Tenant | None, **values: Any) -> str:
    """Draw a page of a gift, whoever may be signed in here."""
    own = {
        "portal": "gift",
        "tenant": tenant,
        "home_href": url_for("gift.index"),
        "theme_href": theme_href(tenant),
        "logo_href": logo_href(tenant),
        "preferences_path": GIFT_PREFERENCES,
        "design": None,
        "readings": readings_are_shown(),
        "closes_after_s": CLOSES_AFTER_S,
    }
    return page(template, **own | values)


def draw_of(letter: gifts.Letter, template: str, **values: Any) -> str:
    """Draw a page of the gift that is open here, in its design."""
    design = find_design(letter)
    return draw(
        template,
        tenant=edge.current_caller().tenant,
        letter=letter,
        design=design,
        art=art_href(design),
        colours_href=colours_href(design),
        picture_href=partial(picture_href, edge.current_caller().tenant),
        picture_widths=catalog.WIDTHS,
        **values,
    )


def find_design(letter: gifts.Letter) -> designs.Design:
    """Return the design of a gift; the first of the house where that one is gone."""
    try:
        return designs.get_design(letter.design)
    except designs.DesignNotFound:
        return designs.list_designs()[0]


def nothing() -> Response:
    """Answer a script that asks for nothing."""
    return Response(status=HTTPStatus.NO_CONTENT)


def stand_at(endpoint: str) -> None:
    """Name the address that this page, drawn from a form, can be opened at."""
    g.page_path = url_for(endpoint)
