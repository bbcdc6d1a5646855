"""The catalogue over HTTP: courses and products, read page by page."""

from __future__ import annotations

import pytest

from giftpad.kernel.ids import new_id
from tests.make import make_tenant
from tests.make_callers import Caller
from tests.make_catalog import make_shelf

PATH = "/api/v1/catalog"


@pytest.fixture
def shelf(house):
    shelf = make_shelf(make_tenant())
    shelf.put("TEA,茶,,たべもの,茶舗,3000,7,C5000,9,", "TOWEL,タオル,,くらし,,2000,,,0,")
    return shelf


@pytest.fixture
def reader(app, shelf):
    return Caller(app, shelf.scope, "catalog:read")


def test_courses_tell_how_much_can_be_chosen(reader, shelf):
    (course,) = reader.get(f"{PATH}/courses").json["items"]
    assert (course["code"], course["price_minor"], course["choice_count"]) == ("C5000", 5000, 1)
    assert reader.get(f"{PATH}/courses/{shelf.course_id}").json == course
    assert reader.get(f"{PATH}/courses/{new_id()}").status_code == 404


def test_products_come_by_their_codes_page_by_page(reader, shelf):
    first = reader.get(f"{PATH}/products?limit=1").json
    assert [each["code"] for each in first["items"]] == ["TEA"]
    rest = reader.get(f"{PATH}/products?limit=1&cursor={first['next_cursor']}").json
    assert ([each["code"] for each in rest["items"]], rest["next_cursor"]) == (["TOWEL"], None)
    assert [each["code"] for each in reader.get(f"{PATH}/products?text=たおる").json["items"]] == [
        "TOWEL"
    ]
    inside = reader.get(f"{PATH}/products?course_id={shelf.course_id}").json["items"]
    assert [each["code"] for each in inside] == ["TEA"]


def test_a_product_tells_what_is_left(reader, shelf):
    product = reader.get(f"{PATH}/products/{shelf.product('TEA').id}").json
    assert (product["supplier"], product["lead_days"], product["is_available"]) == ("茶舗", 7, True)
    assert [(each["stock"], each["is_available"]) for each in product["variants"]] == [(9, True)]
    assert reader.get(f"{PATH}/products/{new_id()}").status_code == 404
