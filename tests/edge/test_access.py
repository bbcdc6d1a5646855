"""Every door is declared, and a declared door holds without asking the database."""

from __future__ import annotations

import functools
import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.views import MethodView

from giftpad import edge, guard, identity
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.db import database
from tests.make_identity import make_machine


def test_every_route_of_the_product_declares_its_access():
    doors = list(edge.list_doors(build_app(Settings())))
    assert len(doors) > 10
    for rule, method, door in doors:
        only_here = (*identity.OPERATOR_PERMISSIONS, *identity.RECIPIENT_PERMISSIONS)
        of_pages = only_here if door.is_page else ()
        known = set(door.access.permissions) <= {*identity.PERMISSIONS, *of_pages}
        assert known, f"{method} {rule}"
        # A page may be for whoever is signed in; a machine always needs a permission.
        assert door.access.permissions or door.access.is_public or door.is_page, f"{method} {rule}"


def test_an_app_with_an_undeclared_route_does_not_start():
    app = build_app(Settings())
    app._got_first_request = False
    app.add_url_rule("/open", "open", lambda: "open")
    with pytest.raises(edge.AccessUndeclared, match="GET of open"):
        edge.check_access(app)


def test_an_undeclared_route_lets_nobody_in(bound):
    app = build_app(bound)
    app.add_url_rule("/open", "open", lambda: "open")
    answered = app.test_client().get("/open")
    assert (answered.status_code, answered.json["code"]) == (500, "internal.unexpected")


def test_one_method_of_a_view_does_not_open_another():
    class Half(MethodView):
        @edge.public("A test.")
        def get(self):
            return "open"

        def post(self):
            return "forgotten"

    app = Flask("half", static_folder=None)
    app.add_url_rule("/half", view_func=Half.as_view("half"))
    with pytest.raises(edge.AccessUndeclared, match="POST of half"):
        edge.check_access(app)


def test_a_declaration_survives_a_decorator_around_it():
    @functools.wraps(edge.public("A test.")(lambda: "open"))
    def wrapped():
        return "open"

    app = Flask("wrapped", static_folder=None)
    app.add_url_rule("/wrapped", "wrapped", wrapped)
    edge.check_access(app)


def test_a_permission_is_needed(app):
    machine = make_machine(app, "shops:read")
    answered = machine.get("/probe")
    assert (answered.status_code, answered.json["code"]) == (403, "permission.missing")
    assert (
        'error="insufficient_scope", scope="coupons:read"' in answered.headers["WWW-Authenticate"]
    )
    assert machine.get("/probe/nothing-asked").status_code == 200


def test_a_narrow_token_has_only_what_it_asked_for(app):
    machine = make_machine(app, "coupons:read", "shops:read")
    assert machine.get("/probe", machine.token(scope="shops:read")).status_code == 403
    assert machine.get("/probe", machine.token(scope="coupons:read")).status_code == 200


def test_the_scope_is_the_tokens_tenant_and_client(machine):
    seen = machine.get("/probe").json
    assert seen["tenant_id"] == str(machine.scope.tenant_id)
    assert seen["client_id"] == machine.client_id
    assert (seen["shop_id"], seen["permissions"]) == (None, ["coupons:read"])


def test_access_is_judged_before_the_body_is_read(app):
    answered = app.test_client().post("/api/v1/payments", data="{", content_type="text/plain")
    assert (answered.status_code, answered.json["code"]) == (401, "token.missing")


def test_a_verified_request_asks_the_database_nothing(machine):
    token = machine.token()
    assert machine.get("/probe", token).status_code == 200
    asked: list[str] = []
    listen = functools.partial(sa.event.listen, database().engine, "before_cursor_execute")
    listen(lambda *event: asked.append(event[2]))
    for _ in range(20):
        assert machine.get("/probe", token).status_code == 200
    assert asked == []


def test_an_inbound_request_id_is_kept_if_it_is_sane(machine):
    given = machine.get("/probe", **{"X-Request-Id": "order-20261121.7"})
    assert given.headers["X-Request-Id"] == "order-20261121.7"
    assert given.json["request_id"] == "order-20261121.7"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space!", "line\tbreak99"])
def test_another_request_id_is_replaced(machine, given):
    answered = machine.get("/probe", **{"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answered.headers["X-Request-Id"])


def test_a_client_that_asks_too_fast_is_told_when_to_come_again(app):
    machine = make_machine(app, limits=identity.Limits(rate_s=1, burst=3))
    token = machine.token()
    answers = [machine.get("/probe", token) for _ in range(4)]
    assert [answered.status_code for answered in answers] == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.json["code"] == "limit.rate"
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["X-RateLimit-Limit"] == "3"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert int(refused.headers["X-RateLimit-Reset"]) > 0
    other = make_machine(app, scope=machine.scope)
    assert other.get("/probe").status_code == 200


def test_a_client_may_be_allowed_fewer_unknown_codes(app):
    machine = make_machine(app, limits=identity.Limits(failed_codes_max=2))
    machine.get("/probe")
    guard.count_failure(machine.client_id)
    guard.count_failure(machine.client_id)
    with pytest.raises(guard.TooManyFailures):
        guard.count_failure(machine.client_id)


def test_every_answer_carries_the_headers_of_safety(app):
    for path in ("/probe", "/probe/public", "/nowhere", "/healthz", "/probe/accident"):
        headers = app.test_client().get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
