"""Nobody reaches what is another's: over HTTP, route by route, and by raw SQL, table by table."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from giftpad import edge, identity, tenancy, wiring
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.db import bind_database
from giftpad.kernel.ids import new_id
from tests import isolation_recipes as recipes
from tests.isolation_recipes import RECIPES, about_nothing, list_cases, make_call
from tests.isolation_world import EVERYTHING, Call, make_bearer, make_world, payment_body
from tests.make import differences

CASES = list_cases()


@pytest.fixture(scope="module")
def world(settings, servers):
    """Two filled tenants; what one test takes from them no other test needs."""
    database = bind_database(settings)
    wiring.bootstrap(settings)
    name = settings.database_url.rpartition("/")[2]
    with psycopg.connect(servers.urls.in_database(name).superuser, autocommit=True) as superuser:
        yield make_world(settings, superuser)
    database.close()


def each_route(test):
    """Run a test for every recipe."""
    return pytest.mark.parametrize(
        ("route", "recipe"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
    )(test)


def wire(answered):
    """Return all that a caller can see of an answer."""
    return answered.status_code, answered.data, sorted(answered.headers)


def test_every_route_has_a_recipe_or_is_public_for_a_reason_listed_here():
    doors = {
        f"{method} {rule.rule}": door
        for rule, method, door in edge.list_doors(build_app(Settings()))
    }
    public = {route: door.access.why for route, door in doors.items() if door.access.is_public}
    assert public == recipes.PUBLIC
    assert set(RECIPES) == set(doors) - set(public)


@each_route
def test_only_the_right_caller_is_served(world, route, recipe):
    call = make_call(world, route, recipe)
    before = world.rows(world.home)
    refuse_everybody_else(world, call, recipe)
    assert world.rows(world.home) == before
    answered = world.home.office.send(call)
    assert answered.status_code == recipe.status, answered.text
    after = world.rows(world.home)
    refuse_everybody_else(world, call, recipe)
    assert world.rows(world.home) == after
    assert differences(world.home.scope) == []


def refuse_everybody_else(world, call, recipe):
    refuse_strangers(world, call, recipe)
    (door,) = (
        door
        for rule, method, door in edge.list_doors(world.app)
        if (method, rule.rule) == (call.method, call.rule)
    )
    assert door.access.permissions
    for permission in door.access.permissions:
        answered = world.lacking[permission].send(call)
        assert (answered.status_code, answered.json["code"]) == (403, "permission.missing")
        assert answered.json["permission"] == permission
    for name, impostor in world.impostors.items():
        answered = impostor.send(call)
        expected = "token.missing" if name == "by name and secret" else "token.invalid"
        assert (answered.status_code, answered.json["code"]) == (401, expected), name
    answered = world.nobody.send(call)
    assert (answered.status_code, answered.json["code"]) == (401, "token.missing")
    if call.method == "GET":
        assert world.nobody.send(call, method="HEAD").status_code == 401


def refuse_strangers(world, call, recipe):
    """Compare what another tenant's office gets with what it gets for nothing at all."""
    answered = world.other.office.send(call)
    if recipe.stranger is not None:
        assert answered.status_code == recipe.stranger
        assert not [mark for mark in world.marks(world.home) if mark in answered.text]
        return
    assert wire(answered) == wire(world.other.office.send(about_nothing(call)))
    if call.path or call.method != "GET":
        assert (answered.status_code, answered.content_type) == (404, edge.MEDIA_TYPE)


HINTS = ("tenant_id", "tenant", "org_id", "organization", "organization_id")


@each_route
def test_the_tenant_is_never_what_the_request_says(world, route, recipe):
    call = make_call(world, route, recipe)
    there = str(world.other.scope.tenant_id)
    org_id = tenancy.get_tenant(world.other.scope.tenant_id).org_id
    hints = {name: org_id if "org" in name else there for name in HINTS}
    headers = {"X-Tenant-Id": there, "X-Org-Id": org_id, "Host": "ot.example"}
    before = world.rows(world.home), world.rows(world.other)
    if call.body is not None:
        for name, value in hints.items():
            refused = world.home.office.send(replace(call, body=call.body | {name: value}))
            assert (refused.status_code, refused.json["code"]) == (422, "request.invalid")
            assert [error["pointer"] for error in refused.json["errors"]] == [f"/{name}"]
        assert (world.rows(world.home), world.rows(world.other)) == before
    hinted = replace(call, query=call.query | hints, headers=headers)
    answered = world.home.office.send(hinted)
    assert answered.status_code == recipe.status
    if call.method == "GET":
        assert answered.data == world.home.office.send(call).data
    assert world.rows(world.other) == before[1]


def test_a_token_is_of_the_clients_own_tenant_whatever_is_asked(world):
    machine = world.home.office.machine
    org_id = tenancy.get_tenant(world.other.scope.tenant_id).org_id
    token = machine.token(organization=org_id, org_id=org_id, tenant_id=org_id)
    own = tenancy.get_tenant(world.home.scope.tenant_id).org_id
    assert identity.verify_token(token).org_id == own != org_id


def test_a_foreign_shop_is_no_shop_and_a_foreign_code_no_code(world):
    for rule in ("/api/v1/payments", "/api/v1/instruments/lookup"):
        body = payment_body(world.other)
        if rule.endswith("lookup"):
            del body["amount_minor"]
        call = Call(method="POST", rule=rule, key=new_id().hex)
        mine, theirs = (str(side.town.shop_id) for side in (world.other, world.home))
        answers = [
            world.other.office.send(replace(call, body=body | {"shop_id": shop_id}))
            for shop_id in (theirs, str(new_id()))
        ]
        assert wire(answers[0]) == wire(answers[1])
        code = world.home.papers[world.home.take_serial()]
        answers = [
            world.other.office.send(
                replace(call, body=body | {"instrument": {"kind": "coupon", "code": text}})
            )
            for text in (*code, code[0][:-1] + "ZY"[code[0].endswith("Z")], "0000-0000-0000-0000")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({str(wire(answer)) for answer in answers}) == 1


@pytest.fixture(scope="module")
def till(world):
    """A caller of the right tenant with every permission, bound to another shop."""
    shop_id = world.home.town.outside_shop_id
    return make_bearer(world.app, world.home.scope, *EVERYTHING, shop_id=shop_id)


@each_route
def test_a_caller_bound_to_a_shop_reaches_no_other_shop(world, till, route, recipe):
    expected = BOUND.get(route)
    call = make_call(world, route, recipe)
    if expected is None and not {"shop_id", "payment_id", "import_id"} & set(call.path):
        pytest.skip("about no shop")
    before = world.rows(world.home)
    answered = till.send(call)
    if expected is None:
        assert answered.status_code == 404
        assert wire(answered) == wire(till.send(about_nothing(call)))
    elif expected:
        assert (answered.status_code, answered.json["code"]) == (422, expected), answered.text
    else:
        shown = answered.json.get("items", answered.json.get("payments"))
        mine = str(world.home.town.outside_shop_id)
        assert {item.get("shop_id", item["id"]) for item in shown} <= {mine}
    assert world.rows(world.home) == before


BOUND = {
    "GET /api/v1/shops": "",
    "POST /api/v1/shops": "shop.bound_caller",
    "POST /api/v1/shop-imports": "shop.bound_caller",
    "POST /api/v1/instruments/lookup": "payment.other_shop",
    "GET /api/v1/payments": "",
    "POST /api/v1/payments": "payment.other_shop",
    "GET /api/v1/coupons/<serial>": "",
}
"""Where a caller bound to a shop is refused, or with an empty text sees what is of its shop."""
