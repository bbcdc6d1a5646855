"""How each page and route of the catalogue is asked, for the tests of isolation."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from tests.isolation_people import Pages
from tests.isolation_recipe import OK, SENT_ON, Recipe, at, form, plain
from tests.isolation_world import Call, World
from tests.make_catalog import TABLE, Goods, check_table

_numbers = itertools.count(1)
DESK = "/desk/catalogue"
PRODUCT, COURSE = f"{DESK}/<uuid:product_id>", f"{DESK}/courses/<uuid:course_id>"
IMPORT = f"{DESK}/imports/<uuid:import_id>"
COURSE_FIELDS = {
    "name": "五千円",
    "price": "5000",
    "starts_on": "2026-01-01",
    "ends_on": "2030-01-01",
}


def _goods(pages: Pages) -> Goods:
    goods = pages.home.side.goods
    assert isinstance(goods, Goods)
    return goods


def _of_product(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"product_id": _goods(p).product.id}, data=form(**data) if data else None
    )


def _of_variant(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={
            "product_id": _goods(p).product.id,
            "variant_id": _goods(p).product.variants[0].id,
        },
        data=form(**data),
    )


def _of_codes(pages: Pages) -> Call:
    digital = _goods(pages).digital
    sent = f"code\nX-{next(_numbers)}\n".encode()
    path = {"product_id": digital.id, "variant_id": digital.variants[0].id}
    return Call(path=path, data=form(file=sent))


def _of_course(**data: object) -> Callable[[Pages], Call]:
    return lambda p: Call(
        path={"course_id": _goods(p).course_id}, data=form(**data) if data else None
    )


def _new_course(_: Pages) -> Call:
    return Call(data=form(code=f"N{next(_numbers)}", **COURSE_FIELDS))


def _upload(_: Pages) -> Call:
    return Call(data=form(file=TABLE))


def _of_import(pages: Pages) -> Call:
    return Call(path={"import_id": _goods(pages).import_id})


def _take(pages: Pages) -> Call:
    return Call(path={"import_id": check_table(pages.home.side.scope)}, data=form(sure="1"))


PAGES: dict[str, list[Recipe]] = {
    f"GET {DESK}": [at(plain(), stranger=OK)],
    f"GET {DESK}/all.csv": [at(plain(), stranger=OK)],
    f"GET {PRODUCT}": [at(_of_product())],
    f"POST {PRODUCT}/state": [at(_of_product(state="hidden"), status=SENT_ON)],
    f"POST {PRODUCT}/variants/<uuid:variant_id>/stock": [
        at(_of_variant(stock="5"), status=SENT_ON)
    ],
    f"POST {PRODUCT}/variants/<uuid:variant_id>/codes": [at(_of_codes, status=SENT_ON)],
    f"GET {COURSE}": [at(_of_course())],
    f"GET {COURSE}/change": [at(_of_course())],
    f"POST {COURSE}/change": [at(_of_course(code="C5000", **COURSE_FIELDS), status=SENT_ON)],
    f"GET {DESK}/courses/new": [at(plain(), stranger=OK)],
    f"POST {DESK}/courses/new": [at(_new_course, status=SENT_ON, stranger=SENT_ON)],
    f"GET {DESK}/imports/new": [at(plain(), stranger=OK)],
    f"GET {DESK}/imports/sample.csv": [at(plain(), stranger=OK)],
    f"POST {DESK}/imports": [at(_upload, status=SENT_ON, stranger=SENT_ON)],
    f"GET {IMPORT}": [at(_of_import)],
    f"GET {IMPORT}/progress": [at(_of_import)],
    f"POST {IMPORT}/take": [at(_take, status=SENT_ON)],
}


def course_of(world: World) -> Call:
    """Ask the API for a course."""
    goods = world.home.goods
    assert isinstance(goods, Goods)
    return Call(path={"course_id": goods.course_id})


def product_of(world: World) -> Call:
    """Ask the API for a product."""
    goods = world.home.goods
    assert isinstance(goods, Goods)
    return Call(path={"product_id": goods.product.id})
