"""The pages that the address of a QR and a tenant's own address have in common."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, g, request, url_for

from giftpad import guard, payments, programmes, tenancy
from giftpad.kernel.clock import local_date
from giftpad.kernel.errors import TooMany
from giftpad.kernel.work import unit_of_work
from giftpad.portals.holder.opened import Opened, guess_key, scope_of
from giftpad.portals.holder.places import areas_of, list_places, list_running
from giftpad.portals.holder.standing import look_at
from giftpad.portals.http import offer_readings, page
from giftpad.portals.lists import id_asked
from giftpad.portals.programme_names import programme_locale, programme_name
from giftpad.portals.theme import logo_href, theme_href
from giftpad.portals.words import readings_are_shown

SEARCH_LENGTH_MAX = 100


def as_holder_pages(blueprint: Blueprint) -> None:
    """Let a blueprint's pages share their limit and the two pages of a code that opens nothing."""
    blueprint.before_request(_admit)
    blueprint.before_request(offer_readings)
    blueprint.register_error_handler(payments.InstrumentNotFound, _say_unknown)
    blueprint.register_error_handler(TooMany, _say_wait)


def _admit() -> None:
    """Slow down a network that asks faster than people do.

    Raises: RateExceeded.
    """
    guard.admit(guess_key(), guard.Rate())


def _say_unknown(_error: Exception) -> tuple[str, int]:
    """Answer every wrong code alike, without the code: the address is not repeated either."""
    tenant = g.get("holder_tenant")
    back = url_for("holder_tenant.index", slug=tenant.slug) if tenant else url_for("holder.index")
    html = draw("holder/unknown.html", tenant, request_path=back, back=back)
    return html, HTTPStatus.NOT_FOUND


def _say_wait(error: Exception) -> tuple[str, int, dict[str, str]]:
    assert isinstance(error, TooMany)
    tenant = g.get("holder_tenant")
    html = draw(
        "holder/wait.html",
        tenant,
        request_path=url_for("holder.index"),
        seconds=error.retry_after_s,
    )
    return html, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(error.retry_after_s)}


def draw(template: str, tenant: tenancy.Tenant | None, **values: Any) -> str:
    """Draw a page of a holder: in the tenant's colour, whoever may be signed in here."""
    home = "/" if tenant is None else url_for("holder_tenant.index", slug=tenant.slug)
    own = {
        "home_href": home,
        "tenant": tenant,
        "theme_href": theme_href(tenant),
        "logo_href": logo_href(tenant),
        "readings": readings_are_shown(),
        "programme_name_of": programme_name,
        "programme_locale_of": programme_locale,
    }
    return page(template, **own | values)


def draw_balance(opened: Opened, *, shops_path: str) -> str:
    """Draw how a coupon stands.

    Raises: InstrumentNotFound, TenantClosed.
    """
    return draw(
        "holder/balance.html",
        opened.tenant,
        standing=look_at(opened),
        shops_path=shops_path,
    )


def draw_again(tenant: tenancy.Tenant | None) -> str:
    """Draw that no coupon is open here, and how to open one."""
    return draw("holder/again.html", tenant)


def draw_shops(
    tenant: tenancy.Tenant, programme: programmes.Programme | None, *, back_path: str
) -> str:
    """Draw the shops that accept coupons now, of one programme or of any that runs."""
    text = request.args.get("text", "").strip()[:SEARCH_LENGTH_MAX]
    area = request.args.get("area", "")[:SEARCH_LENGTH_MAX]
    with unit_of_work(scope_of(tenant)) as work:
        running = list_running(work, local_date(work.at, tenant.zone))
        places = list_places(
            work,
            running if programme is None else [programme],
            text=text,
            area=area,
            after=id_asked("after"),
        )
    return draw(
        "holder/shops.html",
        tenant,
        programme=programme,
        areas=areas_of([programme] if programme is not None else running),
        places=places,
        text=text,
        area=area,
        is_first="after" not in request.args,
        back_path=back_path,
        own=_own_query(),
        page_path=_page_path,
    )


def _own_query() -> dict[str, str]:
    """Return what of the query is not the search: it goes on with every search."""
    asked = request.args.get("programme", "")
    return {"programme": asked} if asked else {}


def _page_path(after: UUID | None = None) -> str:
    """Return the address of another page of this search."""
    asked = {name: value for name, value in request.args.items() if name != "after" and value}
    query = urlencode(asked if after is None else asked | {"after": str(after)})
    return f"{request.path}?{query}" if query else request.path
