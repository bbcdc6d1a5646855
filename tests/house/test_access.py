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
from tests.isolation_recipes import PUBLIC

ASKED = {
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

UNUSED = {"members:manage", "reports:read"}
"""Permissions that roles and clients carry already; their routes come with the portals."""


def doors():
    return {
        f"{method} {rule.rule}": door.access
        for rule, method, door in edge.list_doors(build_app(Settings()))
    }


def test_what_is_public_is_public_for_a_listed_reason():
    assert {route: access.why for route, access in doors().items() if access.is_public} == PUBLIC


def test_every_other_route_asks_for_the_permission_listed():
    asked = {route: access.permissions for route, access in doors().items() if not access.why}
    assert asked == {route: (name,) for name, routes in ASKED.items() for route in routes}
    assert set(ASKED) == set(identity.PERMISSIONS) - UNUSED


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
