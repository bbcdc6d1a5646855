"""What every endpoint stands on: bodies, keys, cursors, the contract, health."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from uuid import UUID

import marshmallow as ma
import msgspec
import pytest
from flask.views import MethodView

from giftpad import edge
from giftpad.api.http import (
    Blueprint,
    CursorPage,
    CursorQuery,
    decode_cursor,
    encode_cursor,
    idempotent,
    init_api,
    make_page,
    read_body,
)
from giftpad.app import build_app
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import unit_of_work
from tests.database import ROOT
from tests.make_identity import make_machine, probing_app, shared_app

blp = Blueprint("things", __name__)
effects: list[str] = []


class PartSchema(ma.Schema):
    name = ma.fields.String(required=True, validate=ma.validate.Length(max=5))


class ThingSchema(ma.Schema):
    amount_minor = ma.fields.Integer(required=True, strict=True)
    parts = ma.fields.List(ma.fields.Nested(PartSchema), load_default=list)


class PartBody(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class ThingBody(msgspec.Struct, forbid_unknown_fields=True):
    amount_minor: int
    parts: list[PartBody] = []


class MadeSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    amount_minor = ma.fields.Integer(required=True)


@blp.route("/things")
class Things(MethodView):
    @edge.requires("coupons:read")
    @blp.arguments(ThingSchema)
    @blp.alt_response(201, schema=MadeSchema)
    def post(self, thing):
        def effect():
            effects.append("done")
            return {"id": new_id(), **thing}

        with unit_of_work(edge.current_scope()) as work:
            return idempotent(work, effect, schema=MadeSchema)

    @edge.requires("coupons:read")
    @blp.arguments(CursorQuery, location="query")
    def get(self, query):
        after = decode_cursor(query.get("cursor"))
        return {"after": after, "limit": query["limit"]}


@blp.route("/hot")
class Hot(MethodView):
    @edge.requires("coupons:read")
    @edge.hot(200)
    def post(self, call):
        return edge.write_json({"amount_minor": read_body(call, ThingBody).amount_minor})


@pytest.fixture
def machine(house, settings, monkeypatch):
    from giftpad.api import http

    effects.clear()
    monkeypatch.setattr(http, "DOMAINS", ())
    return make_machine(shared_app(app_with_things, settings))


def app_with_things(settings):
    """Build the application with the probes and the things."""
    app = probing_app(settings)
    init_api(app).register_blueprint(blp, url_prefix="/t")
    return app


@pytest.fixture
def post(machine):
    """Post to a path, as JSON unless it is bytes."""
    token = machine.token()

    def send(path, body, key=None, **headers):
        headers = {"Authorization": f"Bearer {token}"} | headers
        if key is not None:
            headers["Idempotency-Key"] = key
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
        return machine.http.post(path, data=raw, headers=headers)

    return send


FAULTS = [
    ({}, ["/amount_minor"]),
    ({"amount_minor": "5"}, ["/amount_minor"]),
    ({"amount_minor": 5.5}, ["/amount_minor"]),
    ({"amount_minor": None}, ["/amount_minor"]),
    ({"amount_minor": 5, "more": 1}, ["/more"]),
    ({"amount_minor": 5, "parts": [{"name": "a"}, {"name": 7}]}, ["/parts/1/name"]),
    ({"amount_minor": 5, "parts": [{}]}, ["/parts/0/name"]),
    ({"amount_minor": 5, "parts": {}}, ["/parts"]),
    ([], [""]),
]


@pytest.mark.parametrize("path", ["/t/things", "/t/hot"])
@pytest.mark.parametrize(("body", "pointers"), FAULTS)
def test_each_fault_is_told_by_its_place(post, path, body, pointers):
    answered = post(path, body, key="k")
    assert (answered.status_code, answered.json["code"]) == (422, "request.invalid")
    assert answered.content_type == "application/problem+json"
    assert [fault["pointer"] for fault in answered.json["errors"]] == pointers
    assert all(fault["detail"] for fault in answered.json["errors"])
    assert answered.json["money_moved"] is False


@pytest.mark.parametrize("path", ["/t/things", "/t/hot"])
@pytest.mark.parametrize(
    "body", [b"{", b"", b'{"amount_minor": NaN}', b"\xff", b'{"amount_minor": "\\u0000"}']
)
def test_a_body_that_is_no_json_is_malformed(post, path, body):
    answered = post(path, body, key="k")
    assert (answered.status_code, answered.json["code"]) == (400, "request.malformed")


@pytest.mark.parametrize("path", ["/t/things", "/t/hot"])
def test_a_body_of_another_type_is_not_guessed_at(post, path):
    answered = post(path, {"amount_minor": 5}, key="k", **{"Content-Type": "text/plain"})
    assert (answered.status_code, answered.json["code"]) == (415, "request.unsupported_type")
    assert "application/json" in answered.json["detail"]


def test_a_repeat_gets_the_first_answer_and_has_no_effect(post):
    key = new_id().hex
    first = post("/t/things", {"amount_minor": 5}, key=key)
    again = post("/t/things", {"amount_minor": 5}, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert effects == ["done"]


def test_a_key_is_good_for_one_request(post):
    key = new_id().hex
    first = post("/t/things", {"amount_minor": 5}, key=key)
    other = post("/t/things", {"amount_minor": 6}, key=key)
    assert (other.status_code, other.json["code"]) == (422, "idempotency.mismatch")
    assert first.json["id"] not in other.text
    assert effects == ["done"]


def test_a_refused_request_does_not_use_up_its_key(post):
    key = new_id().hex
    assert post("/t/things", {"amount_minor": "no"}, key=key).status_code == 422
    assert post("/t/things", {"amount_minor": 5}, key=key).status_code == 201


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "idempotency.key_missing"),
        ("", "idempotency.key_invalid"),
        ("x" * 256, "idempotency.key_invalid"),
        ("with space", "idempotency.key_invalid"),
        ("tab\there", "idempotency.key_invalid"),
        ("é", "idempotency.key_invalid"),
    ],
)
def test_a_key_is_needed_and_must_be_printable(post, key, code):
    answered = post("/t/things", {"amount_minor": 5}, key=key)
    assert (answered.status_code, answered.json["code"]) == (400, code)
    assert effects == []


def test_the_longest_key_is_good(post):
    key = new_id().hex + "x" * 223
    assert post("/t/things", {"amount_minor": 5}, key=key).status_code == 201


def test_a_cursor_goes_there_and_back(machine):
    last = new_id()
    cursor = make_page([1, 2], last).next_cursor
    answered = machine.get(f"/t/things?cursor={cursor}&limit=200")
    assert answered.json == {"after": str(last), "limit": 200}
    assert machine.get("/t/things").json == {"after": None, "limit": 50}
    assert make_page([], None) == CursorPage([], None)
    assert decode_cursor(encode_cursor(12345), int) == 12345


@pytest.mark.parametrize(
    "cursor", ["", "x", "!!!!", "MTIzNDU", "é", "A" * 300, str(UUID(int=1)), encode_cursor("' OR")]
)
def test_another_cursor_is_refused(machine, cursor):
    answered = machine.http.get(
        "/t/things",
        query_string={"cursor": cursor},
        headers={"Authorization": f"Bearer {machine.token()}"},
    )
    assert (answered.status_code, answered.json["code"]) == (422, "request.cursor_unknown")


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", ""])
def test_a_page_has_bounds(machine, limit):
    answered = machine.get(f"/t/things?limit={limit}")
    assert (answered.status_code, answered.json["code"]) == (422, "request.invalid")
    assert [(fault["in"], fault["parameter"]) for fault in answered.json["errors"]] == [
        ("query", "limit")
    ]


def test_an_address_tells_its_own_options(house, settings):
    http = build_app(settings).test_client()
    for path, methods in (
        ("/api/v1/coupons/block", {"POST", "OPTIONS"}),  # and not those of a coupon "block"
        ("/api/v1/coupons/MC-0000042", {"GET", "HEAD", "OPTIONS"}),
        ("/api/v1/coupon-batches", {"GET", "HEAD", "POST", "OPTIONS"}),
    ):
        answered = http.options(path)
        assert (answered.status_code, set(answered.allow)) == (200, methods)


def test_the_contract_names_permissions_security_and_problems(house, settings):
    document = json.loads(build_app(settings).test_client().get("/api/v1/openapi.json").data)
    assert document["openapi"] == "3.1.0"
    pay = document["paths"]["/api/v1/payments"]["post"]
    assert pay["x-permissions"] == ["payments:accept"]
    assert pay["security"] == [{"machine": ["payments:accept"]}]
    assert {"201", "400", "401", "403", "409", "422", "429", "503"} <= set(pay["responses"])
    assert any(found["name"] == "Idempotency-Key" for found in pay["parameters"])
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                declared = "x-permissions" in operation or "x-public" in operation
                assert declared, f"{method} {path}"
    scheme = document["components"]["securitySchemes"]["machine"]
    assert scheme["flows"]["clientCredentials"]["tokenUrl"] == "/oauth/token"


def test_every_reference_of_the_contract_leads_somewhere(house, settings):
    document = json.loads(build_app(settings).test_client().get("/api/v1/openapi.json").data)

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    found = set(references(document))
    assert found
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node


def test_the_committed_contract_is_what_the_code_says():
    done = subprocess.run(
        [sys.executable, "-m", "giftpad.cli", "openapi", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_process_that_lives_and_can_serve_says_so(house, settings):
    http = build_app(settings).test_client()
    assert http.get("/healthz").json == {"status": "ok"}
    answered = http.get("/readyz")
    assert answered.status_code == 200
    assert answered.json == {"status": "ready", "database": "ready", "redis": "ready"}


def test_without_redis_it_can_still_serve(house, settings):
    away = replace(settings, redis_url="redis://127.0.0.1:1/0")
    answered = build_app(away).test_client().get("/readyz")
    assert (answered.status_code, answered.json["redis"]) == (200, "away")


def test_with_an_older_database_it_cannot_serve(house, settings, monkeypatch):
    from giftpad.api import health

    monkeypatch.setattr(health, "newest_migration", lambda: "20990101_0000")
    answered = build_app(settings).test_client().get("/readyz")
    assert (answered.status_code, answered.json["database"]) == (503, "migrating")


def test_without_a_database_it_cannot_serve(house, settings):
    from giftpad.kernel.db import bind_database

    http = build_app(settings).test_client()
    bind_database(replace(settings, database_url="postgresql://nobody@127.0.0.1:1/none"))
    answered = http.get("/readyz")
    assert (answered.status_code, answered.json["database"]) == (503, "away")
    assert http.get("/healthz").status_code == 200
    bind_database(settings)
