"""A recipe for each route: how its right caller asks, with a real object, and is served.

``stranger`` is what a caller of another tenant gets for the same request: ``None`` means the very
answer to an object that does not exist; a status means an answer about the stranger's own tenant.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from giftpad.kernel.ids import new_id
from tests import isolation_made_gifts as made_gifts
from tests.isolation_catalogue import course_of, product_of
from tests.isolation_world import BAD_SHEET, Call, World, pay, payment_body

PUBLIC = {
    "GET /healthz": "A supervisor asks whether the process lives.",
    "GET /readyz": "A supervisor or load balancer asks whether the process can serve.",
    "POST /oauth/token": (
        "A client proves itself here by its secret, its code or its refresh token."
    ),
    "POST /oauth/revoke": "A client proves itself here as it does for a token.",
    "POST /oauth/device/code": "A device has no token yet; it says which client it is.",
    "GET /userinfo": (
        "It judges its tokens itself: they may know who somebody is, and nothing else."
    ),
    "POST /userinfo": "As by GET; OpenID Connect wants both.",
    "POST /authorize": (
        "A client sends people here by a form of its own; it is asked again by GET."
    ),
    "POST /oidc/logout": "As for /authorize.",
    "GET /.well-known/oauth-authorization-server": "Discovery is for those who know nothing yet.",
    "GET /.well-known/openid-configuration": "Discovery is for those who know nothing yet.",
    "GET /.well-known/jwks.json": "Whoever verifies our tokens needs the public keys.",
    "POST /api/hooks/messages/<provider>": "A provider proves itself by its signature.",
    "GET /api/hooks/stop/<token>": (
        "A mail program that knows no other way opens the page for a person."
    ),
    "POST /api/hooks/stop/<token>": (
        "A mail program says for its reader that it is enough; the link is the proof."
    ),
    "GET /api/v1/openapi.json": "A contract is for those who have no client yet.",
}
"""Every route that asks for no token, with the reason it declares."""

OK, CREATED, ACCEPTED = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED
_numbers = itertools.count(7001)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERIAL = re.compile(r"[A-Z]+-[0-9]{7,}")
_QR = re.compile(r"HTTP.*/Q/[0-9A-Z]{36}")
_TYPED = re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to ask at a route."""

    status: HTTPStatus
    make: Callable[[World], Call]
    stranger: HTTPStatus | None = None
    note: str = ""
    renews: bool = False
    """Whether a second request needs something new in its body to be taken."""


def _at(status: HTTPStatus, make: Callable[[World], Call], **more: Any) -> Recipe:
    return Recipe(status=status, make=make, **more)


def _of_shop(**more: Any) -> Callable[[World], Call]:
    return lambda w: Call(path={"shop_id": w.home.town.shop_id}, **more)


def _of_branch(world: World) -> Call:
    return Call(path={"shop_id": world.home.town.shop_id, "branch_id": world.home.take_branch()})


def _of_batch(**more: Any) -> Callable[[World], Call]:
    return lambda w: Call(path={"batch_id": w.home.released_id}, **more)


def _of_serial(**more: Any) -> Callable[[World], Call]:
    return lambda w: Call(path={"serial": w.home.take_serial()}, **more)


def _of_payment(**more: Any) -> Callable[[World], Call]:
    return lambda w: Call(path={"payment_id": pay(w.home)}, **more)


def _paid(world: World) -> str:
    """Return the serial of a coupon that was paid with."""
    serial = world.home.take_serial()
    pay(world.home, **payment_body(world.home, serial))
    return serial


def _range(world: World) -> Call:
    one, two = sorted((world.home.take_serial(), world.home.take_serial()))
    return Call(body={"from": one, "to": two})


def _new_shop(_: World) -> Call:
    number = str(next(_numbers))
    return Call(body={"number": number, "name": "若葉", "area": "east", "groups": ["common"]})


def _order(world: World) -> Call:
    programme_id = str(world.home.town.programme_id)
    return Call(body={"programme_id": programme_id, "quantity": 2, "face_value_minor": 500})


def _of_order(**more: Any) -> Callable[[World], Call]:
    return lambda w: Call(path={"order_id": made_gifts.sent(w.home)}, **more)


def _of_gift(**more: Any) -> Callable[[World], Call]:
    return lambda w: Call(path={"gift_id": made_gifts.gift(w.home)}, **more)


PREFIX = "/api/v1"
RECIPES: dict[str, list[Recipe]] = {
    f"GET {PREFIX}/programmes": [_at(OK, lambda _: Call(), stranger=OK)],
    f"GET {PREFIX}/programmes/<uuid:programme_id>": [
        _at(OK, lambda w: Call(path={"programme_id": w.home.town.programme_id}))
    ],
    f"GET {PREFIX}/catalog/courses": [_at(OK, lambda _: Call(), stranger=OK)],
    f"GET {PREFIX}/catalog/courses/<uuid:course_id>": [_at(OK, course_of)],
    f"GET {PREFIX}/catalog/products": [
        _at(OK, lambda _: Call(), stranger=OK),
        _at(OK, lambda _: Call(query={"text": "茶"}), stranger=OK),
    ],
    f"GET {PREFIX}/catalog/products/<uuid:product_id>": [_at(OK, product_of)],
    f"GET {PREFIX}/shops": [
        _at(OK, lambda _: Call(), stranger=OK),
        _at(OK, lambda _: Call(query={"area": "east", "group": "common"}), stranger=OK),
    ],
    f"POST {PREFIX}/shops": [_at(CREATED, _new_shop, stranger=CREATED, renews=True)],
    f"GET {PREFIX}/shops/<uuid:shop_id>": [_at(OK, _of_shop())],
    f"POST {PREFIX}/shops/<uuid:shop_id>/facts": [_at(CREATED, _of_shop(body={"kana": "ワカバ"}))],
    f"POST {PREFIX}/shops/<uuid:shop_id>/suspend": [
        _at(OK, lambda w: Call(path={"shop_id": w.home.town.stranger_shop_id}))
    ],
    f"POST {PREFIX}/shops/<uuid:shop_id>/resume": [
        _at(OK, lambda w: Call(path={"shop_id": w.home.town.stranger_shop_id}))
    ],
    f"GET {PREFIX}/shops/<uuid:shop_id>/contact": [_at(OK, _of_shop())],
    f"PUT {PREFIX}/shops/<uuid:shop_id>/contact": [_at(OK, _of_shop(body={"name": "森"}))],
    f"POST {PREFIX}/shops/<uuid:shop_id>/branches": [
        _at(CREATED, _of_shop(body={"name": "南口店"}))
    ],
    f"POST {PREFIX}/shops/<uuid:shop_id>/branches/<uuid:branch_id>/close": [_at(OK, _of_branch)],
    f"POST {PREFIX}/shop-imports": [
        _at(
            ACCEPTED,
            lambda _: Call(data=BAD_SHEET, content_type="text/csv"),
            stranger=ACCEPTED,
        )
    ],
    f"GET {PREFIX}/shop-imports/<uuid:import_id>": [
        _at(OK, lambda w: Call(path={"import_id": w.home.import_id}))
    ],
    f"GET {PREFIX}/shop-imports/<uuid:import_id>/errors.csv": [
        _at(OK, lambda w: Call(path={"import_id": w.home.import_id}))
    ],
    f"GET {PREFIX}/coupon-batches": [
        _at(OK, lambda _: Call(), stranger=OK),
        _at(OK, lambda w: Call(query={"programme_id": w.home.town.programme_id}), note="filter"),
    ],
    f"POST {PREFIX}/coupon-batches": [_at(ACCEPTED, _order)],
    f"GET {PREFIX}/coupon-batches/<uuid:batch_id>": [_at(OK, _of_batch())],
    f"POST {PREFIX}/coupon-batches/<uuid:batch_id>/release": [
        _at(OK, lambda w: Call(path={"batch_id": w.home.ready_ids.pop()}, body={}))
    ],
    f"GET {PREFIX}/coupon-batches/<uuid:batch_id>/pdf": [_at(OK, _of_batch())],
    f"GET {PREFIX}/coupon-batches/<uuid:batch_id>/manifest.csv": [_at(OK, _of_batch())],
    f"GET {PREFIX}/coupons/<serial>": [_at(OK, lambda w: Call(path={"serial": _paid(w)}))],
    f"POST {PREFIX}/coupons/<serial>/block": [_at(OK, _of_serial(body={"reason": "lost"}))],
    f"POST {PREFIX}/coupons/<serial>/unblock": [_at(OK, _of_serial(body={}))],
    f"POST {PREFIX}/coupons/<serial>/replace": [_at(ACCEPTED, _of_serial(body={}))],
    f"POST {PREFIX}/coupons/block": [_at(OK, _range)],
    f"POST {PREFIX}/coupons/unblock": [_at(OK, _range)],
    f"POST {PREFIX}/instruments/lookup": [
        _at(OK, lambda w: Call(body=_without_amount(payment_body(w.home))), note="QR"),
        _at(OK, lambda w: Call(body=_without_amount(payment_body(w.home, typed=True)))),
    ],
    f"GET {PREFIX}/payments": [
        _at(OK, lambda _: Call(), stranger=OK),
        _at(OK, lambda w: Call(query={"shop_id": w.home.town.shop_id}), note="shop"),
        _at(OK, lambda w: Call(query={"serial": _paid(w)}), note="serial"),
    ],
    f"POST {PREFIX}/payments": [
        _at(CREATED, lambda w: Call(body=payment_body(w.home)), note="QR"),
        _at(CREATED, lambda w: Call(body=payment_body(w.home, typed=True)), note="typed"),
    ],
    f"GET {PREFIX}/payments/<uuid:payment_id>": [_at(OK, _of_payment())],
    f"POST {PREFIX}/payments/<uuid:payment_id>/void": [_at(CREATED, _of_payment(body={}))],
    f"POST {PREFIX}/payments/<uuid:payment_id>/refund": [
        _at(CREATED, _of_payment(body={"amount_minor": 3}))
    ],
    f"GET {PREFIX}/gift-designs": [_at(OK, lambda _: Call(), stranger=OK)],
    f"GET {PREFIX}/gift-orders": [_at(OK, lambda _: Call(), stranger=OK)],
    f"POST {PREFIX}/gift-orders": [
        _at(
            ACCEPTED,
            lambda w: Call(body=made_gifts.order_body(w)),
            stranger=HTTPStatus.NOT_FOUND,
            renews=True,
        )
    ],
    f"GET {PREFIX}/gift-orders/<uuid:order_id>": [_at(OK, _of_order())],
    f"GET {PREFIX}/gift-orders/<uuid:order_id>/gifts": [_at(OK, _of_order())],
    f"GET {PREFIX}/gift-orders/<uuid:order_id>/links": [_at(OK, _of_order())],
    f"GET {PREFIX}/gift-orders/<uuid:order_id>/invoice": [_at(OK, _of_order())],
    f"GET {PREFIX}/gift-orders/<uuid:order_id>/invoice.pdf": [_at(OK, _of_order())],
    f"POST {PREFIX}/gift-orders/<uuid:order_id>/cancel": [
        _at(ACCEPTED, _of_order(body={"reason": "x"}))
    ],
    f"GET {PREFIX}/gifts/<uuid:gift_id>": [_at(OK, _of_gift())],
    f"POST {PREFIX}/gifts/<uuid:gift_id>/cancel": [_at(OK, _of_gift(body={"reason": "x"}))],
    f"POST {PREFIX}/gifts/<uuid:gift_id>/resend": [
        _at(ACCEPTED, lambda w: Call(path={"gift_id": made_gifts.bounced(w.home)}, body={}))
    ],
}


def _without_amount(body: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in body.items() if name != "amount_minor"}


def list_cases() -> list[tuple[str, str, Recipe]]:
    """Return every recipe with its name and its route."""
    return [
        (f"{route} {number} {recipe.note}".strip(), route, recipe)
        for route, recipes in RECIPES.items()
        for number, recipe in enumerate(recipes, 1)
    ]


def make_call(world: World, route: str, recipe: Recipe) -> Call:
    """Return a recipe's request with objects that no other test has touched."""
    method, _, rule = route.partition(" ")
    return replace(recipe.make(world), method=method, rule=rule, key=new_id().hex)


def about_nothing(call: Call) -> Call:
    """Return the same request about objects that do not exist anywhere."""
    return replace(
        call,
        path={name: nothing_like(value) for name, value in call.path.items()},
        query={name: nothing_like(value) for name, value in call.query.items()},
        body=json.loads(json.dumps(call.body), object_hook=_nothings),
        key=new_id().hex,
    )


def _nothings(found: dict[str, object]) -> dict[str, object]:
    return {name: nothing_like(value) for name, value in found.items()}


def nothing_like(value: object) -> object:
    """Return a value of the same form that belongs to nothing."""
    text = str(value)
    if _UUID.fullmatch(text):
        return str(new_id())
    if _SERIAL.fullmatch(text):
        return f"ZZ-{text.rpartition('-')[2]}"
    if _QR.fullmatch(text):
        return text[:-4] + ("0000" if not text.endswith("0000") else "1111")
    if _TYPED.fullmatch(text):
        return "0000-0000-0000-0000"
    return value
