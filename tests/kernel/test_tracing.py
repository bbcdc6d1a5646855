"""Tracing: off unless it is asked for, and nothing secret leaves when it is on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from giftpad.app import build_app
from giftpad.edge.lane import Lane
from giftpad.kernel.config import Settings, SettingsError
from giftpad.kernel.tracing import KEPT_BACK, start_tracing

REQUEST = """
import json, sys
import flask, psycopg
from giftpad.kernel.tracing import trace_to
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
app = flask.Flask("x")
@app.get("/Q/<path:tail>")
def coupon(tail):
    if tail.endswith("broken"):
        raise ValueError("no coupon 7K3Q-9MXW-2D8F-RT5B")
    with psycopg.connect(sys.argv[1]) as connection:
        connection.execute("SELECT %s::text", ["7K3Q-9MXW-2D8F-RT5B"])
    return "ok"
exporter = InMemorySpanExporter()
provider = trace_to(exporter, "web", app=app)
web = app.test_client()
agent = {"User-Agent": "Somebodys-Phone/1"}
web.get("/Q/1ABCD12345678ABCDEFGHJKMNPQRSTVWXYZ?code=7K3Q-9MXW-2D8F-RT5B", headers=agent)
web.get("/Q/1ABCD12345678ABCDEFGHJKMNPQRSTVWXYZ/broken", headers=agent)
web.get("/join/midori-city.0123456789abcdef0123456789abcdef", headers=agent)
provider.force_flush()
print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))
"""
LOOPBACK = """
import sys
import flask
from giftpad.kernel.config import Settings
from giftpad.kernel.tracing import start_tracing
app = flask.Flask("x")
app.add_url_rule("/one", view_func=lambda: "one")
assert start_tracing(Settings(tracing_url=sys.argv[1]), "web", app=app)
assert app.test_client().get("/one").text == "one"
"""


def run(program, *words, **options):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


OFF = """
import sys
import giftpad.app, worker.__main__
from giftpad.kernel.config import Settings
from giftpad.kernel.tracing import start_tracing
assert start_tracing(Settings(), "web") is False
# Our client of Redis looks for the plain API by itself, where that is installed.
ours = ("opentelemetry.exporter", "opentelemetry.instrumentation")
assert not [name for name in sys.modules if name.startswith(ours)]
"""


def test_what_sends_and_what_watches_is_not_imported_when_tracing_is_off():
    run(OFF)


def test_a_span_names_route_and_statement_and_no_code_no_address_no_person(superuser_url):
    text = run(REQUEST, superuser_url)
    spans = json.loads(text)
    names = {span["name"] for span in spans}
    assert "GET /Q/<path:tail>" in names
    assert any(span["attributes"].get("db.statement", "").startswith("SELECT") for span in spans)
    for secret in ("7K3Q", "ABCDEFGHJKM", "0123456789abcdef", "Somebodys-Phone", "127.0.0.1/32"):
        assert secret not in text, secret
    for span in spans:
        assert not KEPT_BACK & set(span["attributes"])


class Collector(BaseHTTPRequestHandler):
    """What takes spans on the loopback address."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, len(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_spans_reach_a_collector_by_the_one_setting():
    server = HTTPServer(("127.0.0.1", 0), Collector)
    server.taken = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        run(LOOPBACK, f"http://127.0.0.1:{server.server_port}/")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert server.taken
    assert {path for path, _ in server.taken} == {"/v1/traces"}


def test_without_the_extra_the_setting_says_what_to_install(monkeypatch):
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SettingsError, match=r"pip install 'giftpad\[tracing\]'"):
        start_tracing(Settings(tracing_url="http://127.0.0.1:4318"), "web")


def test_with_tracing_every_request_goes_through_flask_where_spans_begin(house, settings):
    def has_lane(**changes):
        app = build_app(replace(settings, **changes))
        return isinstance(app.extensions["giftpad_door"].inner, Lane)

    assert has_lane()
    assert not has_lane(tracing_url="http://127.0.0.1:4318")
