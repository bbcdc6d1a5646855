"""Files of pages that a new build has taken away under a running server."""

from __future__ import annotations

from flask import Flask
from werkzeug.test import Client

from giftpad.portals import site as module
from giftpad.portals.site import init_portals


def test_a_file_that_went_away_is_not_found(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STATIC", tmp_path)
    monkeypatch.setattr(module, "BLUEPRINTS", ())
    (tmp_path / "desk-AAAAAAAA.js").write_text("begin();")
    app = Flask("pages")
    init_portals(app, settings)
    client = Client(app)
    with client.get("/assets/desk-AAAAAAAA.js") as served:
        assert served.status_code == 200
    (tmp_path / "desk-AAAAAAAA.js").unlink()
    assert client.get("/assets/desk-AAAAAAAA.js").status_code == 404
    assert client.get("/assets/desk-BBBBBBBB.js").status_code == 404
