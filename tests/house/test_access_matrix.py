"""The page that says who may pass which door says what the code does, and is checked in CI."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from giftpad import edge, identity
from giftpad.app import build_app
from giftpad.cli import access, cli
from giftpad.kernel.config import Settings
from giftpad.kernel.migrate import ROOT
from tests.isolation_pages import RECIPES as PAGE_RECIPES
from tests.isolation_people import is_of_gift
from tests.isolation_recipes import RECIPES

CELL = re.compile(r"(?<!\\)\|")
SERVED = {200, 201, 202, 303}
UNKNOWN = {404, 422}


@pytest.fixture(scope="module")
def doors():
    return list(edge.list_doors(build_app(Settings())))


def rows(text):
    """Return the cells of every row by method and address."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in CELL.split(line)[1:-1]]
        if len(cells) == 4 + len(access.everybody()) and cells[1].startswith("`"):
            route = f"{cells[0]} {cells[1].strip('`')}"
            assert route not in found, route
            found[route] = cells
    return found


def test_the_page_is_what_the_code_says(doors):
    page = access.MATRIX.read_text("utf-8")
    assert page == access.filled(page, doors), "run: giftpad access"
    assert set(rows(page)) == {f"{method} {rule.rule}" for rule, method, _ in doors}


def change(doors, route, **changes):
    """Return the doors with another access at one of them."""
    return [
        (rule, method, replace(door, access=edge.Access(**changes)))
        if f"{method} {rule.rule}" == route
        else (rule, method, door)
        for rule, method, door in doors
    ]


@pytest.mark.parametrize(
    "changes",
    [{"permissions": ("coupons:read",)}, {"permissions": ()}, {"why": "An accident."}],
)
@pytest.mark.parametrize("route", ["POST /api/v1/coupon-batches", "POST /desk/batches"])
def test_a_door_that_opens_is_seen(doors, monkeypatch, route, changes):
    opened = change(doors, route, **changes)
    monkeypatch.setattr(access, "list_doors", lambda _: opened)
    done = CliRunner().invoke(cli, ["access", "--check"])
    assert done.exit_code == 1
    assert "is not what the code says" in done.output
    page = access.MATRIX.read_text("utf-8")
    differing = [
        key for key, cells in rows(access.filled(page, opened)).items() if cells != rows(page)[key]
    ]
    assert differing == [route]


def test_a_route_that_is_new_or_gone_is_seen(doors, monkeypatch):
    monkeypatch.setattr(access, "list_doors", lambda _: doors[1:])
    assert CliRunner().invoke(cli, ["access", "--check"]).exit_code == 1


def test_a_role_that_gets_a_permission_is_seen(doors, monkeypatch):
    more = dict(identity.ROLES) | {"viewer": identity.ROLES["viewer"] | {"coupons:issue"}}
    monkeypatch.setattr(access, "ROLES", more)
    assert CliRunner().invoke(cli, ["access", "--check"]).exit_code == 1


def test_the_check_changes_nothing_and_the_command_mends(tmp_path, monkeypatch):
    page = tmp_path / "access.md"
    known = access.MATRIX.read_text("utf-8")
    page.write_text(known.replace("●", ""), "utf-8")
    monkeypatch.setattr(access, "MATRIX", page)
    assert CliRunner().invoke(cli, ["access", "--check"]).exit_code == 1
    assert "●" not in page.read_text("utf-8").partition(access.BEGIN)[2]
    assert CliRunner().invoke(cli, ["access"]).exit_code == 0
    assert page.read_text("utf-8") == known.replace(
        known.partition(access.BEGIN)[0], known.partition(access.BEGIN)[0].replace("●", "")
    )
    assert CliRunner().invoke(cli, ["access", "--check"]).exit_code == 0


def test_the_check_is_part_of_the_house():
    assert "giftpad access --check" in (ROOT / "Makefile").read_text("utf-8")


def test_a_mark_stands_where_all_that_is_asked_for_is_held(doors):
    shown = rows(access.write_matrix(doors))
    names = list(access.everybody())
    assert names == [*identity.ROLES, *identity.OPERATOR_ROLES, "machine"]
    for rule, method, door in doors:
        cells = shown[f"{method} {rule.rule}"]
        marked = {name for name, mark in zip(names, cells[3:-1], strict=True) if mark}
        held = {**identity.ROLES, **identity.OPERATOR_ROLES}
        asked = set(door.access.permissions)
        expected = {name for name in held if held[name] >= asked or door.access.is_public}
        is_for_machines = door.access.is_public or not door.is_page
        assert marked == expected | ({"machine"} if is_for_machines else set())


@pytest.mark.parametrize(
    ("recipes", "is_page"), [(RECIPES, False), (PAGE_RECIPES, True)], ids=["API", "pages"]
)
def test_what_strangers_get_is_what_the_isolation_tests_see(doors, recipes, is_page):
    kinds = {
        f"{method} {rule.rule}": access.for_strangers(rule, door)
        for rule, method, door in doors
        if door.is_page == is_page and not door.access.is_public and not is_of_gift(door)
    }
    assert set(kinds) == set(recipes)
    for route, cases in recipes.items():
        seen = {None if case.stranger is None else int(case.stranger) for case in cases}
        if kinds[route] == access.HIDDEN:
            # For the API None is 404, the very answer to what does not exist.
            assert seen == ({404} if is_page else {None}), route
        elif kinds[route] == access.OWN:
            assert seen <= SERVED | UNKNOWN | {None}, route
        else:
            assert kinds[route] == access.SHUT
            assert seen == {None}, route
            assert "/operator/" in route


def test_what_is_open_is_the_same_for_everybody(doors):
    for rule, _, door in doors:
        if door.access.is_public:
            assert access.for_strangers(rule, door) == access.OPEN
