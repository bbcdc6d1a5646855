"""Whatever is sent, the answer is a refusal in the one format of refusals, and never a 500."""

from __future__ import annotations

import csv
import io
import re
import time
from dataclasses import replace
from uuid import UUID

import pytest

from giftpad import edge, shops
from giftpad.api.contract import contract_of
from giftpad.kernel.ids import new_id
from giftpad.shops.handlers import run_import
from tests import isolation_hostile as hostile
from tests.hostile import sheets
from tests.isolation_recipes import PUBLIC, RECIPES, make_call
from tests.isolation_world import Call, open_world
from tests.make import differences

ROUTES = [(route, recipes[0]) for route, recipes in RECIPES.items()]
SOME = (
    "GET /api/v1/shops",
    "GET /api/v1/coupons/<serial>",
    "POST /api/v1/payments",
    "POST /api/v1/shops/<uuid:shop_id>/suspend",
    "POST /api/v1/shop-imports",
    "POST /api/v1/gift-orders",
)
"""Routes of every kind, which every run attacks; the others are attacked in the long one."""
JSON = "application/json"
_ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
CPU_MOST_S = 20
SENTENCE_MOST = 1500
FORMULA_STARTS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"


@pytest.fixture(scope="module")
def world(servers, worker_number, tmp_path_factory, light_passwords):
    """Two filled tenants, of which one is attacked."""
    home = tmp_path_factory.mktemp("hostile")
    with open_world(servers, f"hostile_{worker_number}", home=home) as opened:
        yield opened
        assert differences(opened.home.scope) == []


@pytest.fixture(scope="module")
def calls(world):
    """A good request for each route, made before anything is attacked."""
    return {route: make_call(world, route, recipe) for route, recipe in ROUTES}


each_route = pytest.mark.parametrize(
    ("route", "recipe"), ROUTES, ids=[route for route, _ in ROUTES]
)
some_routes = pytest.mark.parametrize(
    ("route", "recipe"),
    [
        pytest.param(*each, id=each[0], marks=() if each[0] in SOME else (pytest.mark.long,))
        for each in ROUTES
    ],
)


def fault_of(answered):
    """Return what is wrong with an answer, whatever was asked; "" if nothing."""
    status = answered.status_code
    if status >= 500:
        return f"{status} {answered.data[:200]!r}"
    headers = str(answered.headers).lower()
    if "loot" in headers:
        return "a header was smuggled in"
    if status >= 400:
        if answered.content_type != edge.MEDIA_TYPE:
            return f"{status} as {answered.content_type}"
        body = answered.json
        if body["status"] != status or not body["code"] or not body["detail"]:
            return f"{status} {body}"
    return ""


def list_faults(answers):
    """Return what was asked and is wrong."""
    return [f"{what}: {fault}" for what, answered in answers if (fault := fault_of(answered))]


@some_routes
def test_no_value_of_a_field_breaks_a_route(world, calls, route, recipe):
    call = calls[route]
    names, query = hostile.fields_of(
        contract_of(world.app), call.method, _ARGUMENT.sub(r"{\1}", call.rule)
    )
    asked = []
    if call.body is not None:
        asked += [
            (what, replace(call, body=None, data=hostile.dump(body), content_type=JSON))
            for what, body in hostile.spoil(
                (lambda: recipe.make(world).body) if recipe.renews else (lambda: call.body), names
            )
        ]
    asked += [
        (f"?{name}={text[:40]!r}", replace(call, query={name: text.encode(errors="replace")}))
        for name in sorted(query | {"unknown"})
        for text in hostile.TEXTS
    ]
    send = world.home.office.send
    faults = list_faults((what, send(replace(each, key=new_id().hex))) for what, each in asked)
    assert faults == []


@some_routes
def test_no_body_breaks_a_route(world, calls, route, recipe):
    call = replace(calls[route], body=None, data=None)
    asked = [
        (f"{what} as {content_type}", replace(call, data=body, content_type=content_type))
        for what, body in hostile.BODIES.items()
        for content_type in (JSON, "text/csv" if "import" in route else "text/plain")
    ]
    asked += [
        (content_type, replace(call, data=b'{"x": 1}', content_type=content_type))
        for content_type in hostile.CONTENT_TYPES
    ]
    send = world.home.office.send
    answers = [(what, send(replace(each, key=new_id().hex))) for what, each in asked]
    assert list_faults(answers) == []
    if calls[route].body is not None:
        statuses = {what: answered.status_code for what, answered in answers}
        assert statuses[f"10 MB as {JSON}"] == 413
        assert statuses[f"cut as {JSON}"] == 400
        assert statuses[f"deep lists as {JSON}"] in (400, 422)
        assert statuses["null as text/plain"] == statuses["multipart/form-data"] == 415


@pytest.mark.parametrize("route", SOME)
def test_no_header_breaks_a_route(world, calls, route):
    answers = []
    for name, values in hostile.HEADERS.items():
        for value in values:
            call = replace(calls[route], key=new_id().hex)
            environ = {name: value.encode().decode("latin-1")}
            answered = world.home.office.send(call, environ=environ)
            answers.append((f"{name}: {value[:40]!r}", answered))
    assert list_faults(answers) == []


@each_route
def test_no_other_method_is_taken(world, calls, route, recipe):
    call = calls[route]
    known = world.app.url_map.bind("localhost").allowed_methods(call.address(world.app))
    assert call.method in known
    before = world.rows(world.home)
    for method in set(hostile.METHODS) - set(known):
        answered = world.home.office.send(call, method=method)
        assert (answered.status_code, answered.json["code"]) == (405, "request.method_not_allowed")
        assert set(known) == {name.strip() for name in answered.headers["Allow"].split(",")}
        assert fault_of(answered) == ""
    assert world.nobody.send(call, method="OPTIONS").status_code == 200
    assert world.rows(world.home) == before


@pytest.mark.parametrize("path", hostile.NOWHERE, ids=[path[:30] for path in hostile.NOWHERE])
def test_an_unknown_address_is_a_problem(world, path):
    answered = world.app.test_client().get(path, headers={"Accept-Language": "en"})
    assert fault_of(answered) == ""
    assert answered.status_code in (308, 400, 404)
    if answered.status_code == 404:
        assert answered.json["code"] in ("route.not_found", "token.missing")


@pytest.mark.parametrize("text", hostile.TEXTS, ids=[repr(t[:20]) for t in hostile.TEXTS])
def test_no_serial_breaks_a_route(world, text):
    text = text.encode(errors="replace").decode() or "."
    for route in RECIPES:
        method, _, rule = route.partition(" ")
        if "<serial>" in rule:
            call = Call(method=method, rule=rule, path={"serial": text}, key=new_id().hex)
            answered = world.home.office.send(replace(call, body={} if method == "POST" else None))
            assert fault_of(answered) == ""
            assert answered.status_code in (400, 404)


BY_RFC_6749 = tuple(route for route in PUBLIC if "/oauth/" in route or "/userinfo" in route)
"""Routes whose refusals are those of OAuth and not problems."""


def _spoilt(route):
    method, _, rule = route.partition(" ")
    call = Call(method=method, rule=rule)
    asked = [replace(call, data=body, content_type=JSON) for body in hostile.BODIES.values()]
    asked += [replace(call, query={"x": text.encode(errors="replace")}) for text in hostile.TEXTS]
    return asked


@pytest.mark.parametrize("route", [route for route in PUBLIC if route not in BY_RFC_6749])
def test_a_public_route_stays_up(world, route):
    for each in _spoilt(route):
        assert fault_of(world.nobody.send(each)) == ""


@pytest.mark.parametrize("route", BY_RFC_6749)
def test_a_route_of_oauth_refuses_in_the_words_of_oauth(world, route):
    for each in _spoilt(route):
        answered = world.nobody.send(each)
        assert answered.status_code in (400, 401, 413, 429), answered.text
        if answered.mimetype == JSON:
            assert answered.json["error"]
        else:
            assert fault_of(answered) == ""


def test_the_token_endpoint_stays_up(world):
    machine = world.home.office.machine
    good = machine.credentials
    call = Call(method="POST", rule="/oauth/token")
    bodies = [("as it is", hostile.dump(good)), *hostile.BODIES.items()]
    bodies += [
        (what, hostile.dump(body))
        for what, body in hostile.spoil(lambda: good, {"scope", "audience", "organization", "x"})
    ]
    asked = [(what, replace(call, data=body, content_type=JSON)) for what, body in bodies]
    asked += [
        (
            f"form {name}={text[:40]!r}",
            replace(call, data=good | {name: text.encode(errors="replace")}),
        )
        for name in (*good, "scope", "x")
        for text in hostile.TEXTS
    ]
    asked += [
        (content_type, replace(call, data=b"x=1&x=2", content_type=content_type))
        for content_type in hostile.CONTENT_TYPES
    ]
    statuses = {}
    for number, (what, each) in enumerate(asked):
        address = f"10.0.{number // 250}.{number % 250}"  # each is admitted by the limits
        answered = world.nobody.send(each, environ={"REMOTE_ADDR": address})
        statuses[what] = answered.status_code
        assert answered.status_code in (200, 400, 401, 403, 413), (what, answered.data)
        if answered.status_code not in (200, 413):
            assert answered.json["error"], what
    assert statuses["as it is"] == 200
    for name, value in (("HTTP_AUTHORIZATION", v) for v in ("Basic \xff", "Basic Og==", "Basic =")):
        answered = world.nobody.send(call, environ={name: value})
        assert answered.status_code in (400, 401)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_cell_of_an_export_becomes_a_formula(world, language):
    cells = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '"=1"', "\uff1d1", "'=1", "a\n=1", "\r=1")
    office, headers = world.home.office, {"Accept-Language": language}
    for lines in ([cells], [("number", "name", "area", "kana"), *[(c, c, c, c) for c in cells]]):
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        call = Call(method="POST", rule="/api/v1/shop-imports", data=text.getvalue().encode())
        ordered = office.send(replace(call, content_type="text/csv", key=new_id().hex))
        assert ordered.status_code == 202
        import_id = ordered.json["id"]
        run_import(world.home.scope, shops.ShopImportOrdered(object_id=UUID(import_id)))
        rule = "/api/v1/shop-imports/<uuid:import_id>/errors.csv"
        path = {"import_id": import_id}
        shown = office.send(Call(method="GET", rule=rule, path=path, headers=headers))
        assert len(list(safe_cells(shown))) > 4 * len(cells)
    rule = "/api/v1/coupon-batches/<uuid:batch_id>/manifest.csv"
    path = {"batch_id": world.home.released_id}
    assert len(list(safe_cells(office.send(Call(method="GET", rule=rule, path=path))))) > 5


FILES = {
    "a day before all days": b"number,name,area,starts_on\n1,x,east,0001-01-01\n",
    "a day after all days": b"number,name,area,starts_on\n2,x,east,9999-12-31\n",
    **sheets.REFUSED,
    **sheets.TAKEN,
}
TAKEN = {"a day after all days", *sheets.TAKEN}
LARGE = {"100,001 lines"}


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[pytest.mark.long] * (k in LARGE)) for k in FILES]
)
def test_a_hostile_file_of_shops_comes_to_an_end(world, kind):
    office = world.home.office
    call = Call(
        method="POST", rule="/api/v1/shop-imports", data=FILES[kind], content_type="text/csv"
    )
    ordered = office.send(replace(call, key=new_id().hex))
    assert ordered.status_code == 202
    import_id = ordered.json["id"]
    began = time.process_time()
    run_import(world.home.scope, shops.ShopImportOrdered(object_id=UUID(import_id)))
    assert time.process_time() - began < CPU_MOST_S
    rule, path = "/api/v1/shop-imports/<uuid:import_id>", {"import_id": import_id}
    shown = office.send(Call(method="GET", rule=rule, path=path)).json
    assert shown["state"] == ("done" if kind in TAKEN else "refused"), shown["errors"][:3]
    assert bool(shown["errors"]) == (shown["state"] == "refused")
    assert all(len(fault["detail"]) < SENTENCE_MOST for fault in shown["errors"])


def safe_cells(answered):
    """Return the cells of a CSV file, each of which a spreadsheet takes for a text."""
    assert answered.status_code == 200
    text = answered.data.decode("utf-8-sig")
    assert text.endswith("\r\n")
    for line in csv.reader(io.StringIO(text, newline="")):
        for cell in line:
            assert not cell.startswith(tuple(FORMULA_STARTS)), cell
            assert f'"{cell.replace(chr(34), chr(34) * 2)}"' in text
            yield cell


WHOLE = {"GET /api/v1/catalog/courses", "GET /api/v1/gift-designs"}
"""Lists that are short and come whole."""


@pytest.mark.parametrize(
    "route", [r for r in RECIPES if r.startswith("GET") and "<" not in r and r not in WHOLE]
)
def test_a_cursor_of_nowhere_is_refused(world, route):
    method, _, rule = route.partition(" ")
    for cursor in ("x", "=", "AAAA", "é", "A" * 300, "bm90LWEtdXVpZA", str(new_id()), ""):
        answered = world.home.office.send(Call(method=method, rule=rule, query={"cursor": cursor}))
        assert (answered.status_code, answered.json["code"]) == (422, "request.cursor_unknown")
