"""Tokens over HTTP, as Auth0's clients and strangers ask for them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from giftpad import guard, identity
from giftpad.api import oidc
from giftpad.app import build_app
from tests.database import ROOT
from tests.make_identity import make_machine


def _basic(client_id, secret):
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_a_token_is_given_for_a_form(machine):
    answered = machine.ask_token()
    assert answered.status_code == 200
    assert set(answered.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert (answered.json["token_type"], answered.json["expires_in"]) == ("Bearer", 3600)
    assert answered.headers["Cache-Control"] == "no-store"


def test_a_token_is_given_for_json(machine):
    answered = machine.http.post("/oauth/token", json=machine.credentials)
    assert (answered.status_code, answered.json["scope"]) == (200, "coupons:read")


def test_a_token_is_given_for_basic_authentication(machine):
    answered = machine.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": _basic(machine.client_id, machine.client_secret)},
    )
    assert answered.status_code == 200


@pytest.mark.parametrize("form", ["data", "json"])
def test_the_audience_may_be_said(machine, form):
    audience = identity.issuer().audience
    asked = machine.credentials | {"audience": audience}
    assert machine.http.post("/oauth/token", **{form: asked}).status_code == 200


def _bad_clients(machine):
    good_id, good_secret = machine.client_id, machine.client_secret
    return {
        "unknown client": {"client_id": "x" * 32, "client_secret": good_secret},
        "wrong secret": {"client_id": good_id, "client_secret": "x" * 64},
        "empty secret": {"client_id": good_id, "client_secret": ""},
        "secret cut": {"client_id": good_id, "client_secret": good_secret[:-1]},
        "id with NUL": {"client_id": "a\0b", "client_secret": good_secret},
        "long id": {"client_id": "x" * 9000, "client_secret": good_secret},
        "no client": {"client_id": "", "client_secret": ""},
    }


def test_an_unknown_client_and_a_wrong_secret_look_the_same(machine):
    answers = set()
    for bad in _bad_clients(machine).values():
        asked = {"grant_type": "client_credentials"} | bad
        answered = machine.http.post("/oauth/token", data=asked)
        assert "Basic" in answered.headers["WWW-Authenticate"]
        assert answered.headers["Cache-Control"] == "no-store"
        answers.add((answered.status_code, answered.data))
    ((status, body),) = answers
    assert status == 401
    assert json.loads(body)["error"] == "invalid_client"


def test_a_basic_wrong_secret_looks_the_same_too(machine):
    answered = machine.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": _basic(machine.client_id, "x")},
    )
    assert (answered.status_code, answered.json["error"]) == (401, "invalid_client")


def test_an_unknown_client_costs_the_same_work(machine):
    """Both refusals ask the database the same number of questions."""
    import sqlalchemy as sa

    from giftpad.kernel.db import database

    machine.token()
    asked: list[str] = []
    sa.event.listen(
        database().engine, "before_cursor_execute", lambda *event: asked.append(event[2])
    )
    machine.ask_token(client_secret="x")
    wrong_secret = list(asked)
    asked.clear()
    machine.ask_token(client_id="x" * 32)
    assert asked == wrong_secret
    assert len(asked) == 2


REFUSED = {
    "another grant": ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    "no grant": ({"grant_type": ""}, 400, "invalid_request"),
    "another API": ({"audience": "https://evil.example"}, 403, "access_denied"),
    "another organisation": ({"organization": "org_other"}, 403, "access_denied"),
    "a scope not granted": ({"scope": "members:manage"}, 400, "invalid_scope"),
    "an unknown scope": ({"scope": "openid profile"}, 400, "invalid_scope"),
}


@pytest.mark.parametrize("form", ["data", "json"])
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_granted(machine, kind, form):
    changes, status, error = REFUSED[kind]
    answered = machine.http.post("/oauth/token", **{form: machine.credentials | changes})
    assert (answered.status_code, answered.json["error"]) == (status, error)
    assert answered.headers["Cache-Control"] == "no-store"


def test_only_granted_scopes_are_given(app):
    machine = make_machine(app, "coupons:read", "shops:read")
    answered = machine.ask_token(scope="shops:read members:manage")
    assert answered.json["scope"] == "shops:read"


def _encoded(machine, more=""):
    form = "&".join(f"{name}={value}" for name, value in machine.credentials.items())
    return form + more


FORM = "application/x-www-form-urlencoded"
MALFORMED = {
    "a query string": lambda m: ("?scope=x", _encoded(m), FORM),
    "all in the query string": lambda m: ("?" + _encoded(m), "", FORM),
    "a repeated parameter": lambda m: ("", _encoded(m, f"&client_id={m.client_id}"), FORM),
    "a repeated name in JSON": lambda m: (
        "",
        json.dumps(m.credentials)[:-1] + ', "client_id": "x"}',
        "application/json",
    ),
    "another type": lambda m: ("", json.dumps(m.credentials), "text/plain"),
    "no type": lambda m: ("", json.dumps(m.credentials), ""),
    "broken JSON": lambda _: ("", "{", "application/json"),
    "a JSON list": lambda _: ("", "[]", "application/json"),
    "a number in JSON": lambda m: (
        "",
        json.dumps(m.credentials | {"scope": 1}),
        "application/json",
    ),
    "no grant type": lambda m: (
        "",
        json.dumps({k: v for k, v in m.credentials.items() if k != "grant_type"}),
        "application/json",
    ),
    "a list in JSON": lambda m: (
        "",
        json.dumps(m.credentials | {"scope": ["coupons:read"]}),
        "application/json",
    ),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_request_that_cannot_be_read(machine, kind):
    query, body, media_type = MALFORMED[kind](machine)
    answered = machine.http.post(f"/oauth/token{query}", data=body, content_type=media_type)
    assert (answered.status_code, answered.json["error"]) == (400, "invalid_request")


def test_two_ways_of_proving_oneself_are_one_too_many(machine):
    answered = machine.http.post(
        "/oauth/token",
        data=machine.credentials,
        headers={"Authorization": _basic(machine.client_id, machine.client_secret)},
    )
    assert (answered.status_code, answered.json["error"]) == (400, "invalid_request")


def test_a_body_over_16_kib_is_not_read(machine):
    answered = machine.http.post("/oauth/token", data={"grant_type": "x" * 17_000})
    assert answered.status_code == 413


def test_the_token_endpoint_takes_no_get(machine):
    assert machine.http.get("/oauth/token").status_code == 405


def test_a_client_that_asks_for_tokens_without_end_is_slowed(machine, monkeypatch):
    monkeypatch.setattr(oidc, "CLIENT_RATE", guard.Rate(0.01, 3))
    machine.token()  # from now on this process knows the client
    answers = [machine.ask_token(client_secret="x").status_code for _ in range(3)]
    assert answers == [401, 401, 401]
    refused = machine.ask_token()
    assert (refused.status_code, refused.json["error"]) == (429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "X-RateLimit-Reset" in refused.headers


def test_who_guesses_keeps_nobody_of_the_same_address_from_a_token(machine, monkeypatch):
    monkeypatch.setattr(oidc, "ADDRESS_RATE", guard.Rate(0.01, 3))
    here = {"REMOTE_ADDR": "10.0.0.1"}

    def ask(**changes):
        asked = machine.credentials | changes
        return machine.http.post("/oauth/token", data=asked, environ_overrides=here)

    assert {ask().status_code for _ in range(5)} == {200}
    guesses = [ask(client_id=letter * 32).status_code for letter in "abcde"]
    assert guesses == [401, 401, 401, 429, 429]
    assert ask().status_code == 200


def test_strangers_cost_neither_work_nor_memory_once_their_address_is_slowed(machine, monkeypatch):
    import sqlalchemy as sa

    from giftpad.guard.commands import _Memory
    from giftpad.kernel.db import database

    monkeypatch.setattr(oidc, "ADDRESS_RATE", guard.Rate(0.01, 3))
    asked: list[str] = []
    sa.event.listen(
        database().engine, "before_cursor_execute", lambda *event: asked.append(event[2])
    )
    buckets = len(_Memory.buckets)

    def ask(number):
        stranger = machine.credentials | {"client_id": f"stranger{number}"}
        # One network of a household or a cloud, one address of it after another.
        here = {"REMOTE_ADDR": f"2001:db8:0:1::{number + 1}"}
        answered = machine.http.post("/oauth/token", data=stranger, environ_overrides=here)
        return answered.status_code

    assert [ask(number) for number in range(3)] == [401, 401, 401]
    asked.clear()
    assert {ask(number) for number in range(3, 30)} == {429}
    assert asked == []
    assert len(_Memory.buckets) == buckets + 1


@pytest.mark.parametrize(("hops", "statuses"), [(0, [401, 429]), (1, [401, 401]), (2, [401, 429])])
def test_the_address_before_the_proxies_counts(settings, machine, monkeypatch, hops, statuses):
    monkeypatch.setattr(oidc, "ADDRESS_RATE", guard.Rate(0.01, 1))
    http = build_app(replace(settings, trusted_proxies=hops)).test_client()
    answers = [
        http.post(
            "/oauth/token",
            data=machine.credentials | {"client_secret": "x"},
            headers={"X-Forwarded-For": f"203.0.{hops}.1, 198.51.{hops}.{number}"},
            environ_overrides={"REMOTE_ADDR": f"10.0.1.{hops}"},
        ).status_code
        for number in (1, 2)
    ]
    assert answers == statuses


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_discovery_announces_what_works_and_nothing_else(machine, name):
    found = machine.http.get(f"/.well-known/{name}")
    assert found.headers["Cache-Control"] == "public, max-age=600"
    document = found.json
    assert document["issuer"].endswith("/")
    for endpoint in [key for key in document if key.endswith("_endpoint")] + ["jwks_uri"]:
        path = "/" + document[endpoint].removeprefix(document["issuer"])
        assert machine.http.get(path).status_code != 404, endpoint
    assert "client_credentials" in document["grant_types_supported"]
    assert not {"implicit", "password"} & set(document["grant_types_supported"])
    assert not {"registration_endpoint", "introspection_endpoint"} & set(document)


def test_the_issuer_is_the_public_address(settings, house):
    app = build_app(replace(settings, public_url="https://pay.midori.example"))
    document = app.test_client().get("/.well-known/openid-configuration").json
    assert document["issuer"] == "https://pay.midori.example/"
    assert document["token_endpoint"] == "https://pay.midori.example/oauth/token"


def test_a_token_of_one_issuer_is_no_token_of_another(settings, machine):
    token = machine.token()
    assert machine.get("/probe", token).status_code == 200
    other = build_app(replace(settings, public_url="https://pay.midori.example"))
    headers = {"Authorization": f"Bearer {token}"}
    answered = other.test_client().get("/api/v1/payments", headers=headers)
    assert answered.status_code == 401


LOGGING = """
import json, sys
from giftpad.app import create_app
from giftpad.kernel.config import read_settings
client_id, secret = json.loads(sys.stdin.read())
http = create_app(read_settings()).test_client()
form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
token = http.post("/oauth/token", data=form).json["access_token"]
http.post("/oauth/token", json=form | {"client_secret": secret + "x"})
http.post("/oauth/token?client_secret=" + secret, json=form)
bearer = {"Authorization": "Bearer " + token}
http.get("/api/v1/payments", headers=bearer)
http.get("/api/v1/payments/" + secret + "?access_token=" + token, headers=bearer)
http.get("/api/v1/payments", headers={"Authorization": "Bearer " + token[:-8] + "AAAAAAAA"})
print(json.dumps(token))
"""


def test_the_log_has_one_line_a_request_and_no_secret(machine, settings):
    names = ("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file")
    environment = {f"GIFTPAD_{name.upper()}": getattr(settings, name) for name in names}
    environment |= {"GIFTPAD_LOG_LEVEL": "DEBUG", "GIFTPAD_HOME": str(settings.home)}
    done = subprocess.run(
        [sys.executable, "-c", LOGGING],
        cwd=ROOT,
        env=environment,
        input=json.dumps([machine.client_id, machine.client_secret]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    token = json.loads(done.stdout)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["status"] for line in lines if line["event"] == "request"] == [
        *(200, 401, 400, 403, 404, 401)
    ]
    assert len({line["request_id"] for line in lines}) == 6
    assert machine.client_secret not in done.stderr
    assert token not in done.stderr
    assert token.split(".")[2] not in done.stderr
