"""What stands around every screen of the till: the shop, the coupon, the office to call.

Hides: which screens are pages of their own and which a script puts in place of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, make_response

from giftpad import coupons, edge, payments, programmes, shops
from giftpad.kernel.clock import end_of, start_of
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import Work
from giftpad.portals.http import page, wants_fragment
from giftpad.portals.programme_names import programme_name
from giftpad.portals.shop.readings import this_shop

LISTED_MAX = 200
TITLES = {
    "scan": mark("Read a coupon"),
    "pad": mark("Amount to take"),
    "confirm": mark("Show the customer"),
    "accepted": mark("Payment complete"),
    "record": mark("Payment"),
    "refused": mark("Payment refused"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The shop, and the coupon where one is on the counter."""

    shop_id: UUID
    shop_name: str
    zone: str
    phone: str
    office: str
    hours: str
    programme_name: str = ""
    serial: str = ""

    def on(self, day: date) -> payments.PaymentFilter:
        """Return what finds this shop's payments of a day."""
        return payments.PaymentFilter(
            shop_id=self.shop_id,
            since=start_of(day, self.zone),
            until=end_of(day, self.zone),
            limit=LISTED_MAX,
        )


def set_scene(work: Work, *, programme_id: UUID | None = None, locator: int | None = None) -> Scene:
    """Read what a screen of the till stands in.

    Raises: PermissionMissing, ShopNotFound.
    """
    tenant, locale = edge.current_caller().tenant, edge.current_locale()
    shop_id = this_shop()
    name = serial = ""
    if programme_id is not None:
        name = programme_name(programmes.get_programme(work, programme_id))
    if locator is not None:
        serial = coupons.find_serials(work, [locator]).get(locator, "")
    contact = tenant.contact
    return Scene(
        shop_id=shop_id,
        shop_name=shops.get_shop(work, shop_id).facts.name,
        zone=tenant.zone,
        phone=contact.phone,
        office=contact.offices.get(locale) or contact.offices.get(tenant.locale, tenant.name),
        hours=contact.hours.get(locale) or contact.hours.get(tenant.locale, ""),
        programme_name=name,
        serial=serial,
    )


def show(screen: str, scene: Scene, **values: Any) -> Response:
    """Answer with a screen of the till: alone to a script, else as a page."""
    template = "shop/alone.html" if wants_fragment() else "shop/till.html"
    return make_response(
        page(template, screen=screen, screen_title=TITLES[screen], scene=scene, **values)
    )
