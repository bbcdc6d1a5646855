"""Nobody reaches what is another's: over HTTP, route by route, and by raw SQL, table by table."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from psycopg import sql

from giftpad import edge, identity, payments, tenancy
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from giftpad.tenancy import PLATFORM_TENANT_ID
from tests import isolation_recipes as recipes
from tests.isolation_recipes import RECIPES, about_nothing, list_cases, make_call
from tests.isolation_sql import FAULTS, ROLES, attempt, connected, find_holes
from tests.isolation_world import EVERYTHING, Call, make_bearer, open_world, payment_body
from tests.make import differences

CASES = list_cases()


@pytest.fixture(scope="module")
def world(servers, worker_number, tmp_path_factory, light_passwords):
    """Two filled tenants; what one test takes from them no other test needs."""
    home = tmp_path_factory.mktemp("isolation")
    with open_world(servers, f"isolation_{worker_number}", home=home) as opened:
        yield opened


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
        if not door.is_page
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
    own = tenancy.get_tenant(world.home.scope.tenant_id).org_id
    for name in HINTS:
        asked = machine.ask_token(**{name: org_id})
        if asked.status_code == 200:
            assert identity.verify_token(asked.json["access_token"]).org_id == own
        else:
            assert (asked.status_code, asked.json["error"]) == (403, "access_denied")


def test_a_foreign_shop_is_no_shop_and_a_foreign_code_no_code(world):
    for rule in ("/api/v1/payments", "/api/v1/instruments/lookup"):
        body = payment_body(world.other)
        if rule.endswith("lookup"):
            del body["amount_minor"]
        call = Call(method="POST", rule=rule, key=new_id().hex)
        theirs = str(world.home.town.shop_id)
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


OF_A_SHOP = re.compile("<uuid:(shop|payment|import)_id>")
BOUND = {
    "GET /api/v1/shops": "",
    "POST /api/v1/shops": "shop.bound",
    "POST /api/v1/shop-imports": "shop.bound",
    "POST /api/v1/instruments/lookup": "payment.other_shop",
    "GET /api/v1/payments": "",
    "POST /api/v1/payments": "payment.other_shop",
    "GET /api/v1/coupons/<serial>": "",
}
"""Where a caller bound to a shop is refused, or with an empty text sees what is of its shop."""


@pytest.fixture(scope="module")
def till(world):
    """A caller of the right tenant with every permission, bound to another shop."""
    shop_id = world.home.town.outside_shop_id
    return make_bearer(world.app, world.home.scope, *EVERYTHING, shop_id=shop_id)


@pytest.mark.parametrize(
    ("route", "recipe"),
    [case[1:] for case in CASES if case[1] in BOUND or OF_A_SHOP.search(case[1])],
)
def test_a_caller_bound_to_a_shop_reaches_no_other_shop(world, till, route, recipe):
    expected = BOUND.get(route)
    call = make_call(world, route, recipe)
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


PLATFORM_TABLES = {
    "guard_switches",
    "health_figures",
    "identity_apis",
    "identity_authenticators",
    "identity_authorisations",
    "identity_clients",
    "identity_codes",
    "identity_devices",
    "identity_passkeys",
    "identity_links",
    "identity_pairings",
    "identity_people",
    "identity_recovery_codes",
    "identity_refresh_tokens",
    "identity_resets",
    "identity_revocations",
    "identity_sessions",
    "identity_signing_keys",
    "identity_used_challenges",
    "tenancy_printed_addresses",
}
"""Tables of which only the platform has rows: people, sessions, clients and keys span tenants."""

BY_DESIGN = {
    "giftpad_relay": {
        f"{table} shows {what}"
        for table in ("event_outbox", "event_inbox")
        for what in ("rows to nobody", "foreign rows")
    }
}
"""What a role may see of every tenant, because it serves them all."""


def victim_of(world, table):
    return PLATFORM_TENANT_ID if table in PLATFORM_TABLES else world.home.scope.tenant_id


def a_row(world, table):
    query = sql.SQL("SELECT to_jsonb(t) FROM {} t WHERE tenant_id = %s LIMIT 1")
    name = sql.Identifier(table)
    (row,) = world.superuser.execute(query.format(name), [victim_of(world, table)]).fetchone()
    return row


def test_every_table_of_tenants_has_a_row_to_be_robbed_of(world):
    empty = {table for table, (count, _) in world.rows(world.home).items() if not count}
    assert empty == PLATFORM_TABLES
    platform = world.rows_of(PLATFORM_TENANT_ID)
    assert all(platform[table][0] for table in PLATFORM_TABLES)
    others = world.superuser.execute(
        "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace = 'public'::regnamespace AND relname <> ALL (%s)",
        [world.tables],
    ).fetchone()[0]
    assert others == ["alembic_version", "tenants"]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_another_tenants_rows(world, role):
    sides = victim_of(world, "shop_shops"), PLATFORM_TENANT_ID, world.other.scope.tenant_id
    before = [world.rows_of(tenant_id) for tenant_id in sides]
    intruder = world.other.scope.tenant_id
    with connected(world.settings, role) as connection:
        holes = [
            hole
            for table in world.tables
            for hole in find_holes(
                connection,
                table,
                a_row(world, table),
                victim=victim_of(world, table),
                intruder=intruder,
            )
        ]
    assert set(holes) == BY_DESIGN.get(role, set())
    assert [world.rows_of(tenant_id) for tenant_id in sides] == before


@pytest.mark.parametrize("role", ["giftpad_app", "giftpad_owner"])
def test_each_role_that_serves_tenants_does_see_the_rows_of_the_one_it_names(world, role):
    with connected(world.settings, role) as connection:
        for table in world.tables:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            assert attempt(connection, count, tenant_id=victim_of(world, table)) > 0, table


@pytest.mark.parametrize(
    ("damage", "hole"),
    [
        ("ALTER TABLE shop_shops NO FORCE ROW LEVEL SECURITY", "shows foreign rows"),
        ("ALTER TABLE shop_shops DISABLE ROW LEVEL SECURITY", "deletes foreign rows"),
        ("ALTER POLICY tenant_only ON shop_shops USING (true)", "shows rows to nobody"),
        ("ALTER POLICY tenant_only ON shop_shops WITH CHECK (true)", "takes a foreign row"),
    ],
)
def test_a_hole_in_the_wall_is_seen(world, damage, hole):
    victim, intruder = world.home.scope.tenant_id, world.other.scope.tenant_id
    row = a_row(world, "shop_shops")
    with world.superuser.transaction(force_rollback=True):
        world.superuser.execute(damage)
        world.superuser.execute("SET LOCAL ROLE giftpad_owner")
        holes = find_holes(world.superuser, "shop_shops", row, victim=victim, intruder=intruder)
    assert f"shop_shops {hole}" in holes


@pytest.mark.parametrize("role", ["giftpad_app", "giftpad_relay", "giftpad_migrate"])
def test_a_login_cannot_take_the_wall_down(world, role):
    statements = [
        *(f"TRUNCATE {table}" for table in world.tables),
        *(f"COPY {table} FROM STDIN" for table in ("ledger_transfers", "ledger_accounts")),
        "ALTER TABLE shop_shops DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE shop_shops NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant_only ON shop_shops",
        "CREATE POLICY open ON shop_shops USING (true)",
        "CREATE TABLE public.loot (id int)",
        "CREATE FUNCTION public.clock_now(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "SET LOCAL ROLE giftpad_ledger",
        "SET LOCAL ROLE giftpad_owner",
        "SET LOCAL SESSION AUTHORIZATION giftpad_owner",
        "SELECT count(*) FROM pg_authid",
    ]
    may = {"SET LOCAL ROLE giftpad_ledger", "SET LOCAL ROLE giftpad_owner"}
    with connected(world.settings, role) as connection:
        done = [text for text in statements if attempt(connection, text) != "refused"]
        assert set(done) == (may if role == "giftpad_migrate" else set())
        if role == "giftpad_app":
            off = "SET LOCAL row_security = off; SELECT count(*) FROM shop_shops"
            assert attempt(connection, off, tenant_id=world.other.scope.tenant_id) == "refused"


def test_functions_that_move_money_are_bound_to_the_tenant_of_the_transaction(world):
    home, other = world.home.scope.tenant_id, world.other.scope.tenant_id
    with unit_of_work(world.home.scope) as work:
        account = payments.list_payments(work, payments.PaymentFilter(limit=1))[0].account_id
    values = {
        "home": home,
        "account": account,
        "id": new_id(),
        "funding": world.home.town.funding_id,
    }
    lock = "SELECT ledger_lock_account(%(home)s, %(account)s) IS NOT NULL"
    move = (
        "SELECT moved FROM ledger_transfer(%(home)s, %(id)s, %(id)s, 'pay', %(account)s,"
        " %(funding)s, 1, NULL, now())"
    )
    make = (
        "SELECT 1 FROM ledger_open_account(%(home)s, %(id)s, %(id)s, 'coupon', 'JPY', true, NULL)"
    )
    judge = (
        "SELECT reason <> 'instrument.not_found'"
        " FROM payments_judge(%(home)s, 1, ARRAY[]::bytea[], %(id)s)"
    )
    with connected(world.settings, "giftpad_app") as connection:
        assert attempt(connection, lock, values, tenant_id=home) == 1
        assert attempt(connection, make, values, tenant_id=home) == 1
        for tenant_id in (other, None):
            assert attempt(connection, lock, values, tenant_id=tenant_id) == 0
            assert attempt(connection, judge, values, tenant_id=tenant_id) == 0
            assert attempt(connection, move, values, tenant_id=tenant_id) == "NoDataFound"
            assert attempt(connection, make, values, tenant_id=tenant_id) == "refused"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_catalogue_has_no(world, fault):
    found = world.superuser.execute(FAULTS[fault], {"tables": world.tables}).fetchall()
    assert found == []
