"""The shop app as something to install."""

from __future__ import annotations

import json

import pytest


def test_the_service_worker_keeps_assets_and_one_page_without_data(site):
    answer = site.nobody().get("/shop/sw.js")
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/shop"
    told = json.loads(answer.text.partition(" = ")[2].partition(";\n")[0])
    assert told["kept"][-2:] == ["/shop/offline", "/shop/offline?sent=1"]
    assert all(path.startswith("/assets/") for path in told["kept"][:-2])
    assert any(path.endswith(".wasm") for path in told["kept"])
    for path in told["kept"]:
        with site.nobody().get(path) as served:
            assert served.status_code == 200, path


@pytest.mark.parametrize("path", ["/shop/offline", "/shop/offline?sent=1"])
def test_the_pages_without_a_network_hold_nothing_of_anybody(till, path):
    seen = till.clerk.get(path, headers={"HX-Request": "true"})
    stranger = till.site.nobody().get(path, headers={"HX-Request": "true"})
    assert seen.text == stranger.text
    assert "csrf" not in seen.text


def test_a_form_whose_answer_was_lost_is_not_called_unsent(site):
    visitor = site.nobody()
    unsent, unanswered = (
        visitor.get(path, headers={"Accept-Language": "en"}).text.partition("<template")[0]
        for path in ("/shop/offline", "/shop/offline?sent=1")
    )
    assert "Nothing was sent" in unsent
    assert "Nothing was sent" not in unanswered
    assert "It is not known whether money has moved." in unanswered
    assert 'data-act="reload"' not in unanswered, "it would be sent once more"
    assert 'href="/shop/today"' in unanswered


def test_the_manifest_is_complete(site):
    told = json.loads(site.nobody().get("/shop/manifest.webmanifest").text)
    assert told["start_url"] == told["scope"] == told["id"] == "/shop"
    icon = site.nobody().get(told["icons"][0]["src"])
    assert icon.mimetype == "image/svg+xml"
