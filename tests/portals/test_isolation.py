"""Nobody sees a page of another's, and nobody is let in by what belongs to machines."""

from __future__ import annotations

import difflib
from dataclasses import replace

import pytest

from giftpad import identity
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.ids import new_id
from giftpad.tenancy import PLATFORM_TENANT_ID
from tests import isolation_recipes
from tests.isolation_open_pages import PUBLIC
from tests.isolation_pages import RECIPES, about_nothing, list_cases, make_call
from tests.isolation_people import (
    FAR_CLERK,
    ask,
    check_headers,
    hear,
    list_pages,
    open_pages,
    roles_with,
    shown,
)
from tests.isolation_world import open_world
from tests.make import differences

CASES = list_cases()
FORBIDDEN = "You may not do this"
FORGED = "This form is no longer valid."


@pytest.fixture(scope="module")
def pages(servers, worker_number, tmp_path_factory, light_passwords):
    """Two filled tenants with their people; what one test takes no other test needs."""
    home = tmp_path_factory.mktemp("pages")
    with open_world(servers, f"pages_{worker_number}", home=home) as opened:
        yield open_pages(opened)


def each_page(test):
    """Run a test for every recipe."""
    return pytest.mark.parametrize(
        ("route", "recipe"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
    )(test)


def test_every_page_has_a_recipe_or_is_public_for_a_reason_listed_here():
    doors = list_pages(build_app(Settings()))
    public = {route: door.access.why for route, door in doors.items() if door.access.is_public}
    assert public == PUBLIC
    assert set(RECIPES) == set(doors) - set(public)


@each_page
def test_only_the_right_person_is_served(pages, route, recipe):
    door = pages.doors[route]
    call = make_call(pages, route, recipe)
    role = recipe.role or roles_with(door)[0]
    right = pages.home.person(role)
    before = pages.world.rows(pages.world.home)
    refuse_everybody_else(pages, call, recipe)
    if call.method != "GET":
        refuse_forgeries(pages, right, call)
    assert pages.world.rows(pages.world.home) == before
    hear(right)
    answered = ask(right, pages.app, call)
    assert answered.status_code == recipe.status, answered.text[:3000]
    check_headers(answered, scans=route == "GET /shop")
    after = pages.world.rows(pages.world.home)
    refuse_strangers(pages, call, recipe)
    assert pages.world.rows(pages.world.home) == after
    assert differences(pages.world.home.scope) == []


def refuse_everybody_else(pages, call, recipe):
    door = pages.doors[f"{call.method} {call.rule}"]
    nobody = pages.home.site.nobody()
    bearer = pages.world.home.office.authorization
    for headers in ({}, {"Authorization": bearer}):
        answered = ask(nobody, pages.app, call, **headers)
        if call.method == "GET":
            assert answered.status_code == 303
            assert answered.headers["Location"].startswith("/sign-in?next=")
        else:
            assert (answered.status_code, answered.mimetype) == (401, "text/html")
    for role in {*identity.ROLES, *identity.OPERATOR_ROLES} - set(roles_with(door)):
        person = pages.home.person(role)
        answered = ask(person, pages.app, call)
        assert (answered.status_code, answered.mimetype) == (403, "text/html"), role
        assert FORBIDDEN in answered.text
        check_headers(answered, scans=False)
    refuse_strangers(pages, call, recipe)


def refuse_forgeries(pages, right, call):
    """Send the right person's request as another site, or another session, would send it."""
    own, role = right.csrf, "viewer" if right is not pages.home.person("viewer") else "support"
    other = pages.home.person(role)
    assert own
    assert other.csrf
    for token, headers in (
        ("", {}),
        (other.csrf, {}),
        (own, {"Origin": "https://evil.example"}),
        (own, {"Sec-Fetch-Site": "cross-site"}),
        (own, {"Sec-Fetch-Site": "cross-site", "Origin": "null"}),
    ):
        right.csrf = token
        answered = ask(right, pages.app, call, **headers)
        assert (answered.status_code, answered.mimetype) == (403, "text/html"), headers
        assert FORGED in answered.text
    right.csrf = own


def refuse_strangers(pages, call, recipe):
    """Compare what somebody of another tenant gets with what they get for nothing at all."""
    if recipe.stranger is None:
        return
    door = pages.doors[f"{call.method} {call.rule}"]
    role = recipe.role if recipe.role in identity.ROLES else roles_with(door)[0]
    stranger = pages.other.person(role)
    hear(stranger)
    answered = ask(stranger, pages.app, call)
    assert answered.status_code == recipe.stranger, answered.text[:3000]
    seen = shown(answered, call)
    text = "\n".join(seen[1])
    given_away = [mark for mark in pages.world.marks(pages.world.home) if mark in text]
    assert given_away == []
    nothing = about_nothing(call)
    if replace(nothing, data=None) != replace(call, data=None) or _names_something(call, nothing):
        same(seen, shown(ask(stranger, pages.app, nothing), nothing))


def _names_something(call, nothing):
    """Whether a form names an object, beside the key that each has of its own."""
    if not isinstance(call.data, dict):
        return False
    return call.data | {"key": ""} != nothing.data | {"key": ""}


def same(seen, other):
    """Fail with the lines that differ between two answers."""
    assert (seen[0], seen[2]) == (other[0], other[2])
    assert list(difflib.unified_diff(seen[1], other[1], lineterm="", n=0)) == []


OF_THIS_SHOP = [
    case for case in CASES if case[1].startswith(("GET /shop", "POST /shop")) and "<" in case[1]
]


@pytest.mark.parametrize(
    ("route", "recipe"), [case[1:] for case in OF_THIS_SHOP], ids=[case[0] for case in OF_THIS_SHOP]
)
def test_a_clerk_of_another_shop_reaches_no_reading_and_no_payment(pages, route, recipe):
    call, far = make_call(pages, route, recipe), pages.home.person(FAR_CLERK)
    before = pages.world.rows(pages.world.home)
    answered = ask(far, pages.app, call)
    nothing = about_nothing(call)
    assert answered.status_code == 404, answered.text[:3000]
    same(shown(answered, call), shown(ask(far, pages.app, nothing), nothing))
    assert pages.world.rows(pages.world.home) == before


def test_a_clerk_sees_the_payments_of_the_own_shop_only(pages):
    call = make_call(pages, "GET /shop/today", RECIPES["GET /shop/today"][0])
    paid = make_call(pages, *_first("GET /shop/paid/<uuid:payment_id>"))
    payment_id = str(paid.path["payment_id"])
    assert payment_id in ask(pages.home.person("clerk"), pages.app, call).text
    assert payment_id not in ask(pages.home.person(FAR_CLERK), pages.app, call).text


def _first(route):
    return route, RECIPES[route][0]


def test_a_reading_pays_in_the_browser_that_read_it_only(pages):
    call = make_call(pages, *_first("POST /shop/pay/<reading>"))
    before = pages.world.rows(pages.world.home)
    answered = ask(pages.home.person("clerk"), pages.app, call)
    assert answered.status_code == 404
    assert pages.world.rows(pages.world.home) != before  # the reading is closed for good, no more
    assert differences(pages.world.home.scope) == []


def test_a_session_opens_no_route_for_machines(pages):
    owner = pages.home.person("owner")
    for name, route, recipe in isolation_recipes.list_cases():
        call = isolation_recipes.make_call(pages.world, route, recipe)
        answered = owner.http.open(
            call.address(pages.app),
            method=call.method,
            query_string=call.query,
            json=call.body,
            data=call.data,
            headers={"Idempotency-Key": new_id().hex, "X-CSRF-Token": owner.csrf},
            base_url="http://localhost:8000",
        )
        assert (answered.status_code, answered.json["code"]) == (401, "token.missing"), name


def test_what_is_one_persons_is_no_colleagues(pages):
    call = make_call(pages, *_first("POST /account/sessions/<uuid:session_id>/end"))
    before = pages.world.rows_of(PLATFORM_TENANT_ID)
    answered = ask(pages.home.person("owner"), pages.app, call)
    assert answered.status_code == 404
    assert pages.world.rows_of(PLATFORM_TENANT_ID) == before
    call = make_call(pages, *_first("POST /account/switch"))
    answered = ask(pages.home.person("owner"), pages.app, call)
    assert (answered.status_code, answered.headers["Location"]) == (303, "/account")
    assert "gp_session" not in str(answered.headers.getlist("Set-Cookie"))
