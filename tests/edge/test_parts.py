"""What a process does not serve is said to be closed there, and the rest goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from giftpad.app import build_app
from giftpad.edge import access
from giftpad.kernel.config import PARTS, SettingsError, read_settings

PATHS = {
    "api": ["/api/v1/shops", "/api/v1/payments", "/api/v1/openapi.json"],
    "portals": ["/", "/shop", "/desk", "/account"],
    "identity": [
        "/sign-in",
        "/authorize",
        "/oidc/logout",
        "/activate",
        "/join/x",
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/userinfo",
    ],
}


@pytest.mark.parametrize("served", PARTS)
def test_a_process_serves_its_parts_and_no_others(house, settings, served):
    http = build_app(replace(settings, serve=served)).test_client()
    for part, paths in PATHS.items():
        for path in paths:
            answered = http.get(path, headers={"Accept-Language": "en"})
            assert (answered.status_code == 503) == (part != served), (path, answered.text[:300])
            if part != served:
                assert "Whoever is signed in can go on working." in answered.text
    assert http.get("/healthz").status_code == 200


def test_a_payment_finds_the_same_door_closed(house, settings):
    """It would take the lane otherwise, which asks nothing of Flask."""
    http = build_app(replace(settings, serve="portals,identity")).test_client()
    answered = http.post("/api/v1/payments", json={"amount_minor": 1})
    assert (answered.status_code, answered.json["code"]) == (503, "part.closed")


def test_whoever_is_signed_in_may_leave_where_nobody_is_let_in(house, settings):
    http = build_app(replace(settings, serve="portals")).test_client()
    assert http.post("/sign-out").status_code == 403  # no form of ours, but asked


def test_all_that_lets_people_in_is_served_by_one_part(house, settings):
    app = build_app(replace(settings, serve="identity"))
    ways = ("/sign-in", "/forgotten", "/join", "/authorize", "/activate", "/oauth", "/oidc")
    closed = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(ways) and access.is_closed(app, rule.endpoint)
    }
    assert closed <= {"/activate/tablet"}


@pytest.mark.parametrize("said", ["", " ", "api,pages", "API"])
def test_parts_are_called_by_their_names(said):
    with pytest.raises(SettingsError, match="api, portals, identity"):
        read_settings({"GIFTPAD_SERVE": said})
