"""Nobody reaches what is another's: over HTTP, route by route, and by raw SQL, table by table."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from giftpad import edge, wiring
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.db import bind_database
from tests import isolation_recipes as recipes
from tests.isolation_recipes import RECIPES, about_nothing, list_cases, make_call
from tests.isolation_world import make_world
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
    stranger = world.other.office
    answered = stranger.send(call)
    text = answered.text
    if recipe.stranger is not None:
        fresh = (
            stranger.send(replace(call, key=call.key + "2")) if call.method == "GET" else answered
        )
        assert fresh.status_code == recipe.stranger
        assert not [mark for mark in world.marks(world.home) if mark in text]
        return
    assert wire(answered) == wire(stranger.send(about_nothing(call)))
    if call.path or call.method != "GET":
        assert (answered.status_code, answered.content_type) == (404, edge.MEDIA_TYPE), text
