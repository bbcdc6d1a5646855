"""Nobody adds a route without saying who may come in, and nobody opens one unnoticed."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from flask.views import MethodView

from giftpad import edge, identity
from giftpad.api import http
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from tests.isolation_open_pages import PUBLIC as PUBLIC_PAGES
from tests.isolation_recipes import PUBLIC

ASKED = {
    "catalog:read": (
        "GET /api/v1/catalog/courses",
        "GET /api/v1/catalog/courses/<uuid:course_id>",
        "GET /api/v1/catalog/products",
        "GET /api/v1/catalog/products/<uuid:product_id>",
    ),
    "coupons:block": (
        "POST /api/v1/coupons/<serial>/block",
        "POST /api/v1/coupons/<serial>/replace",
        "POST /api/v1/coupons/<serial>/unblock",
        "POST /api/v1/coupons/block",
        "POST /api/v1/coupons/unblock",
    ),
    "coupons:issue": ("POST /api/v1/coupon-batches",),
    "coupons:print": (
        "GET /api/v1/coupon-batches/<uuid:batch_id>/manifest.csv",
        "GET /api/v1/coupon-batches/<uuid:batch_id>/pdf",
    ),
    "coupons:read": (
        "GET /api/v1/coupon-batches",
        "GET /api/v1/coupon-batches/<uuid:batch_id>",
        "GET /api/v1/coupons/<serial>",
    ),
    "coupons:release": ("POST /api/v1/coupon-batches/<uuid:batch_id>/release",),
    "gifts:order": (
        "GET /api/v1/gift-orders/<uuid:order_id>/links",
        "POST /api/v1/gift-orders",
        "POST /api/v1/gift-orders/<uuid:order_id>/cancel",
        "POST /api/v1/gifts/<uuid:gift_id>/cancel",
    ),
    "gifts:read": (
        "GET /api/v1/gift-designs",
        "GET /api/v1/gift-orders",
        "GET /api/v1/gift-orders/<uuid:order_id>",
        "GET /api/v1/gift-orders/<uuid:order_id>/gifts",
        "GET /api/v1/gift-orders/<uuid:order_id>/invoice",
        "GET /api/v1/gift-orders/<uuid:order_id>/invoice.pdf",
        "GET /api/v1/gifts/<uuid:gift_id>",
    ),
    "gifts:support": ("POST /api/v1/gifts/<uuid:gift_id>/resend",),
    "payments:accept": (
        "POST /api/v1/instruments/lookup",
        "POST /api/v1/payments",
        "POST /api/v1/payments/<uuid:payment_id>/void",
    ),
    "payments:read": ("GET /api/v1/payments", "GET /api/v1/payments/<uuid:payment_id>"),
    "payments:refund": ("POST /api/v1/payments/<uuid:payment_id>/refund",),
    "programmes:read": ("GET /api/v1/programmes", "GET /api/v1/programmes/<uuid:programme_id>"),
    "shops:read": ("GET /api/v1/shops", "GET /api/v1/shops/<uuid:shop_id>"),
    "shops:write": (
        "GET /api/v1/shop-imports/<uuid:import_id>",
        "GET /api/v1/shop-imports/<uuid:import_id>/errors.csv",
        "GET /api/v1/shops/<uuid:shop_id>/contact",
        "POST /api/v1/shop-imports",
        "POST /api/v1/shops",
        "POST /api/v1/shops/<uuid:shop_id>/branches",
        "POST /api/v1/shops/<uuid:shop_id>/branches/<uuid:branch_id>/close",
        "POST /api/v1/shops/<uuid:shop_id>/facts",
        "POST /api/v1/shops/<uuid:shop_id>/resume",
        "POST /api/v1/shops/<uuid:shop_id>/suspend",
        "PUT /api/v1/shops/<uuid:shop_id>/contact",
    ),
}
"""What each permission opens; a route that asks for another one is a decision, made here too."""

PAGES = {
    (): (
        "GET /account",
        "GET /account/prove",
        "GET /account/second-step",
        "GET /account/links/<uuid:connection_id>",
        "GET /activate",
        "GET /desk",
        "GET /shop",
        "POST /account/apps/<uuid:authorisation_id>/end",
        "POST /account/links/<uuid:connection_id>",
        "POST /account/links/<uuid:connection_id>/end",
        "POST /account/password",
        "POST /account/prove",
        "POST /account/prove/passkey",
        "POST /account/second-step/app",
        "POST /account/second-step/app/remove",
        "POST /account/second-step/codes",
        "POST /account/second-step/passkey",
        "POST /account/second-step/passkeys/<uuid:passkey_id>/remove",
        "POST /account/sessions/<uuid:session_id>/end",
        "POST /account/sessions/end-all",
        "POST /account/switch",
        "POST /activate",
        "POST /activate/answer",
        "POST /operator/leave",
        "POST /shop/lock",
    ),
    ("audit:read",): (
        "GET /desk/audit",
        "GET /desk/audit/log.csv",
    ),
    ("catalog:read",): (
        "GET /desk/catalogue",
        "GET /desk/catalogue/<uuid:product_id>",
        "GET /desk/catalogue/all.csv",
        "GET /desk/catalogue/courses/<uuid:course_id>",
    ),
    ("catalog:write",): (
        "GET /desk/catalogue/courses/<uuid:course_id>/change",
        "GET /desk/catalogue/courses/new",
        "GET /desk/catalogue/imports/<uuid:import_id>",
        "GET /desk/catalogue/imports/<uuid:import_id>/progress",
        "GET /desk/catalogue/imports/new",
        "GET /desk/catalogue/imports/sample.csv",
        "POST /desk/catalogue/<uuid:product_id>/state",
        "POST /desk/catalogue/<uuid:product_id>/variants/<uuid:variant_id>/codes",
        "POST /desk/catalogue/<uuid:product_id>/variants/<uuid:variant_id>/stock",
        "POST /desk/catalogue/courses/<uuid:course_id>/change",
        "POST /desk/catalogue/courses/new",
        "POST /desk/catalogue/imports",
        "POST /desk/catalogue/imports/<uuid:import_id>/take",
    ),
    ("coupons:block",): (
        "GET /desk/coupons/<serial>/free",
        "GET /desk/coupons/<serial>/replace",
        "GET /desk/coupons/<serial>/stop",
        "GET /desk/coupons/range",
        "POST /desk/coupons/<serial>/free",
        "POST /desk/coupons/<serial>/replace",
        "POST /desk/coupons/<serial>/stop",
        "POST /desk/coupons/range",
    ),
    ("coupons:issue",): (
        "GET /desk/batches/new",
        "GET /desk/batches/new/check",
        "POST /desk/batches",
    ),
    ("coupons:print",): (
        "GET /desk/batches/<uuid:batch_id>/numbers.csv",
        "GET /desk/batches/<uuid:batch_id>/pages/<int:volume>/<int:number>",
        "GET /desk/batches/<uuid:batch_id>/pages/<int:volume>/<int:number>.png",
        "GET /desk/batches/<uuid:batch_id>/print-again",
        "GET /desk/batches/<uuid:batch_id>/volumes/<int:volume>.pdf",
        "POST /desk/batches/<uuid:batch_id>/print-again",
    ),
    ("coupons:read",): (
        "GET /desk/batches",
        "GET /desk/batches/<uuid:batch_id>",
        "GET /desk/batches/<uuid:batch_id>/progress",
        "GET /desk/batches/<uuid:batch_id>/row",
        "GET /desk/coupons",
        "GET /desk/coupons/<serial>",
        "GET /desk/coupons/<serial>/paper",
        "POST /desk/coupons/find",
    ),
    ("coupons:release",): (
        "GET /desk/batches/<uuid:batch_id>/release",
        "POST /desk/batches/<uuid:batch_id>/release",
    ),
    ("gifts:receive",): (
        "GET /g",
        "GET /g/address",
        "GET /g/balance",
        "GET /g/basket",
        "GET /g/change",
        "GET /g/choose",
        "GET /g/pass-on",
        "GET /g/keep",
        "GET /g/products/<uuid:product_id>",
        "GET /g/review",
        "POST /g/address",
        "POST /g/basket",
        "POST /g/change",
        "POST /g/code",
        "POST /g/keep",
        "POST /g/opened",
        "POST /g/pass-on",
        "POST /g/products/<uuid:product_id>",
        "POST /g/review",
        "POST /g/thanks",
    ),
    ("gifts:approve",): (
        "POST /desk/gifts/<uuid:order_id>/approve",
        "POST /desk/gifts/<uuid:order_id>/send-back",
    ),
    ("gifts:order",): (
        "GET /desk/gifts/<uuid:order_id>/cancel-rest",
        "GET /desk/gifts/<uuid:order_id>/stop",
        "GET /desk/gifts/<uuid:order_id>/cards/<int:number>.pdf",
        "GET /desk/gifts/<uuid:order_id>/cards/print-house.zip",
        "GET /desk/gifts/<uuid:order_id>/codes.csv",
        "GET /desk/gifts/<uuid:order_id>/design",
        "GET /desk/gifts/<uuid:order_id>/discard",
        "GET /desk/gifts/<uuid:order_id>/goods",
        "GET /desk/gifts/<uuid:order_id>/links.csv",
        "GET /desk/gifts/<uuid:order_id>/recipients",
        "GET /desk/gifts/<uuid:order_id>/recipients/columns",
        "GET /desk/gifts/<uuid:order_id>/recipients/corrected.csv",
        "GET /desk/gifts/<uuid:order_id>/when",
        "GET /desk/gifts/one/<uuid:gift_id>/cancel",
        "GET /desk/gifts/recipients-sample.csv",
        "GET /desk/gifts/recipients-sample.xlsx",
        "POST /desk/gifts",
        "POST /desk/gifts/<uuid:order_id>/cancel-rest",
        "POST /desk/gifts/<uuid:order_id>/stop",
        "POST /desk/gifts/<uuid:order_id>/cards/print-again",
        "POST /desk/gifts/<uuid:order_id>/design",
        "POST /desk/gifts/<uuid:order_id>/discard",
        "POST /desk/gifts/<uuid:order_id>/goods",
        "POST /desk/gifts/<uuid:order_id>/preview",
        "POST /desk/gifts/<uuid:order_id>/recipients",
        "POST /desk/gifts/<uuid:order_id>/recipients/codes",
        "POST /desk/gifts/<uuid:order_id>/recipients/columns",
        "POST /desk/gifts/<uuid:order_id>/recipients/leave-out",
        "POST /desk/gifts/<uuid:order_id>/recipients/mend",
        "POST /desk/gifts/<uuid:order_id>/recipients/one",
        "POST /desk/gifts/<uuid:order_id>/recipients/repeats",
        "POST /desk/gifts/<uuid:order_id>/sample",
        "POST /desk/gifts/<uuid:order_id>/submit",
        "POST /desk/gifts/<uuid:order_id>/when",
        "POST /desk/gifts/<uuid:order_id>/withdraw",
        "POST /desk/gifts/one/<uuid:gift_id>/cancel",
    ),
    ("gifts:read",): (
        "GET /desk/gifts",
        "GET /desk/gifts/<uuid:order_id>",
        "GET /desk/gifts/<uuid:order_id>/check",
        "GET /desk/gifts/<uuid:order_id>/invoice.pdf",
        "GET /desk/gifts/<uuid:order_id>/preview",
        "GET /desk/gifts/<uuid:order_id>/progress",
        "GET /desk/gifts/one/<uuid:gift_id>",
    ),
    ("gifts:support",): (
        "GET /desk/gifts/<uuid:order_id>/remind",
        "GET /desk/gifts/<uuid:order_id>/report.csv",
        "GET /desk/gifts/<uuid:order_id>/report.xlsx",
        "GET /desk/gifts/one/<uuid:gift_id>/address",
        "GET /desk/gifts/one/<uuid:gift_id>/extend",
        "GET /desk/gifts/one/<uuid:gift_id>/replace",
        "GET /desk/gifts/one/<uuid:gift_id>/resend",
        "GET /desk/gifts/shipping",
        "GET /desk/gifts/shipping/claims/<uuid:claim_id>",
        "GET /desk/gifts/shipping/columns",
        "GET /desk/gifts/shipping/list",
        "GET /desk/gifts/shipping/lists/<uuid:list_id>.csv",
        "GET /desk/gifts/shipping/tracking",
        "POST /desk/gifts/<uuid:order_id>/remind",
        "POST /desk/gifts/one/<uuid:gift_id>/address",
        "POST /desk/gifts/one/<uuid:gift_id>/extend",
        "POST /desk/gifts/one/<uuid:gift_id>/link",
        "POST /desk/gifts/one/<uuid:gift_id>/replace",
        "POST /desk/gifts/one/<uuid:gift_id>/resend",
        "POST /desk/gifts/shipping/claims/<uuid:claim_id>",
        "POST /desk/gifts/shipping/claims/<uuid:claim_id>/choose-again",
        "POST /desk/gifts/shipping/columns",
        "POST /desk/gifts/shipping/listed",
        "POST /desk/gifts/shipping/tracking",
    ),
    ("members:manage",): (
        "GET /desk/members",
        "GET /desk/members/<uuid:membership_id>/remove",
        "GET /desk/members/<uuid:membership_id>/role",
        "GET /desk/members/invite",
        "GET /desk/members/invited",
        "POST /desk/members/<uuid:membership_id>/remove",
        "POST /desk/members/<uuid:membership_id>/role",
        "POST /desk/members/invitations/<uuid:invitation_id>/withdraw",
        "POST /desk/members/invite",
        "POST /desk/members/second-step",
        "POST /desk/members/visits/<uuid:visit_id>/end",
    ),
    ("payments:accept",): (
        "GET /balance/pay",
        "GET /shop/paid/<uuid:payment_id>",
        "GET /shop/pay/<reading>",
        "GET /shop/payments/<uuid:payment_id>/cancel",
        "POST /shop/pay/<reading>",
        "POST /shop/payments/<uuid:payment_id>/cancel",
        "POST /shop/read",
    ),
    ("payments:read",): ("GET /shop/today",),
    ("payments:read", "coupons:read"): (
        "GET /desk/payments",
        "GET /desk/payments/<uuid:payment_id>",
        "GET /desk/payments/all.csv",
    ),
    ("payments:refund", "coupons:read"): (
        "GET /desk/payments/<uuid:payment_id>/refund",
        "POST /desk/payments/<uuid:payment_id>/refund",
    ),
    ("programmes:read",): (
        "GET /desk/programmes",
        "GET /desk/programmes/<uuid:programme_id>",
        "GET /desk/programmes/<uuid:programme_id>/paper.png",
    ),
    ("shops:read", "coupons:read"): (
        "GET /desk/shops",
        "GET /desk/shops/<uuid:shop_id>",
        "GET /desk/shops/all.csv",
    ),
    ("operations:read",): (
        "GET /operator/dead",
        "GET /operator/dead/<slug>",
        "GET /operator/dead/runs/<uuid:redrive_id>",
        "GET /operator/dead/runs/<uuid:redrive_id>/live",
        "GET /operator/gifts",
        "GET /operator/gifts/<slug>/<uuid:order_id>",
        "GET /operator/gifts/<slug>/<uuid:order_id>/live",
        "GET /operator/gifts/live",
        "GET /operator/health",
        "GET /operator/health/live",
        "GET /operator/visits/<slug>",
        "POST /operator/visits/<slug>",
    ),
    ("operations:act",): (
        "POST /operator/dead/<slug>",
        "POST /operator/gifts/<slug>/<uuid:order_id>",
    ),
    ("tills:manage",): (
        "GET /activate/tablet",
        "GET /tablets",
        "GET /tablets/<uuid:shop_id>",
        "GET /tablets/<uuid:shop_id>/<uuid:terminal_id>/name",
        "GET /tablets/<uuid:shop_id>/clerks/<uuid:clerk_id>/pin",
        "POST /activate/tablet",
        "POST /tablets/<uuid:shop_id>/<uuid:terminal_id>/end",
        "POST /tablets/<uuid:shop_id>/<uuid:terminal_id>/name",
        "POST /tablets/<uuid:shop_id>/ask",
        "POST /tablets/<uuid:shop_id>/clerks",
        "POST /tablets/<uuid:shop_id>/clerks/<uuid:clerk_id>/pin",
        "POST /tablets/<uuid:shop_id>/clerks/<uuid:clerk_id>/remove",
        "POST /tablets/<uuid:shop_id>/clerks/<uuid:clerk_id>/unlock",
    ),
    ("shops:write",): (
        "GET /desk/shops/<uuid:shop_id>/change",
        "GET /desk/shops/<uuid:shop_id>/places/<uuid:branch_id>/close",
        "GET /desk/shops/<uuid:shop_id>/resume",
        "GET /desk/shops/<uuid:shop_id>/stop",
        "GET /desk/shops/imports/<uuid:import_id>",
        "GET /desk/shops/imports/<uuid:import_id>/corrected.csv",
        "GET /desk/shops/imports/<uuid:import_id>/left-out.csv",
        "GET /desk/shops/imports/<uuid:import_id>/progress",
        "GET /desk/shops/imports/new",
        "GET /desk/shops/imports/sample.csv",
        "GET /desk/shops/new",
        "POST /desk/shops/<uuid:shop_id>/change",
        "POST /desk/shops/<uuid:shop_id>/contact",
        "POST /desk/shops/<uuid:shop_id>/contact/change",
        "POST /desk/shops/<uuid:shop_id>/places",
        "POST /desk/shops/<uuid:shop_id>/places/<uuid:branch_id>/close",
        "POST /desk/shops/<uuid:shop_id>/resume",
        "POST /desk/shops/<uuid:shop_id>/stop",
        "POST /desk/shops/imports",
        "POST /desk/shops/imports/<uuid:import_id>/mend",
        "POST /desk/shops/imports/<uuid:import_id>/take",
        "POST /desk/shops/new",
    ),
}
"""The same for pages; what asks for none is for everybody who has signed in."""

PAGES_ONLY = {
    "catalog:write",
    "gifts:approve",
    "members:manage",
    "tills:manage",
    "reports:read",
    "audit:read",
}
"""Permissions that no machine needs yet."""

NO_PAGE_OF_ITS_OWN = {"reports:read"}
"""It adds figures to pages that others open."""


def doors(*, pages):
    return {
        f"{method} {rule.rule}": door.access
        for rule, method, door in edge.list_doors(build_app(Settings()))
        if door.is_page == pages
    }


@pytest.mark.parametrize(("pages", "listed"), [(False, PUBLIC), (True, PUBLIC_PAGES)])
def test_what_is_public_is_public_for_a_listed_reason(pages, listed):
    found = doors(pages=pages)
    assert {route: access.why for route, access in found.items() if access.is_public} == listed


def asked(*, pages):
    found = doors(pages=pages)
    return {route: access.permissions for route, access in found.items() if not access.why}


def test_every_other_route_asks_for_the_permission_listed():
    listed = {route: (name,) for name, routes in ASKED.items() for route in routes}
    assert asked(pages=False) == listed
    assert set(ASKED) == set(identity.PERMISSIONS) - PAGES_ONLY


def test_every_other_page_asks_for_the_permissions_listed():
    listed = {route: names for names, routes in PAGES.items() for route in routes}
    assert asked(pages=True) == listed
    held = {name for names in PAGES for name in names}
    known = {
        *identity.PERMISSIONS,
        *identity.OPERATOR_PERMISSIONS,
        *identity.RECIPIENT_PERMISSIONS,
    }
    assert held == known - NO_PAGE_OF_ITS_OWN


def test_every_page_that_asks_for_something_is_shut_to_some_role():
    for names in PAGES:
        assert not names or any(not held >= set(names) for held in identity.ROLES.values())


class Forgotten(MethodView):
    """A view of which one method declares nothing."""

    @edge.requires("coupons:read")
    def get(self):
        return "declared"

    def post(self):
        return "forgotten"


@pytest.mark.parametrize("method", ["declared", "forgotten"])
def test_a_route_that_declares_nothing_keeps_the_application_from_starting(monkeypatch, method):
    domain = ModuleType("giftpad.api.v1.forgotten")
    domain.blp = http.Blueprint("forgotten", __name__)
    view = type("Half", (MethodView,), {"get": Forgotten.get})
    domain.blp.route("/forgotten")(Forgotten if method == "forgotten" else view)
    monkeypatch.setitem(sys.modules, domain.__name__, domain)
    monkeypatch.setattr(http, "DOMAINS", (*http.DOMAINS, "forgotten"))
    if method == "declared":
        assert build_app(Settings()).test_client().get("/api/v1/forgotten").status_code == 401
        return
    with pytest.raises(edge.AccessUndeclared, match="POST of forgotten"):
        build_app(Settings())
