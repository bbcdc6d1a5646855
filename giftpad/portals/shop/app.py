"""The shop app as something to install: manifest, service worker, what to show without a network.

Hides: which built files the service worker keeps.  It keeps nothing that holds data.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

from flask import Blueprint, Response, make_response, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from giftpad import edge
from giftpad.edge import public
from giftpad.kernel.i18n import mark
from giftpad.portals.assets import Assets
from giftpad.portals.http import page
from giftpad.portals.site import STATIC
from giftpad.portals.words import say_in_words

SCOPE = "/shop"
THEME, GROUND = "#165e83", "#fffbf5"
APP_NAME, APP_PURPOSE = mark("Giftpad for shops"), mark("Take coupons in a shop.")

bp = Blueprint("shop_app", __name__)


@cache
def _worker() -> tuple[str, list[str]]:
    """Return the built service worker, and the addresses it keeps from its first day on."""
    assets = Assets(STATIC)
    source = STATIC / assets.url("ts/sw.ts").removeprefix("/assets/")
    # What a worker loads is in no manifest: the scanner is found by its name.
    scanner = sorted(f"/assets/{path.name}" for path in STATIC.glob("zxing_reader-*.wasm"))
    return source.read_text("utf-8"), [*assets.files_of("shop"), *scanner]


@bp.get("/shop/sw.js")
@public("a program without data; a browser fetches it by itself")
def service_worker() -> AnyResponse:
    """Serve the service worker from where it may look after all of the shop app."""
    program, files = _worker()
    kept = [*files, url_for("shop_app.offline"), url_for("shop_app.offline", sent=1)]
    version = hashlib.sha256("\n".join([edge.current_locale(), program, *kept]).encode())
    told = {"version": version.hexdigest()[:16], "kept": kept}
    response = Response(
        f"self.giftpad = {json.dumps(told)};\n{program}", mimetype="text/javascript"
    )
    response.headers["Service-Worker-Allowed"] = SCOPE
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/shop/offline")
@public("it says that there is no network, and nothing else")
def offline() -> str:
    """Show what to do without a network; the service worker keeps this page.

    ``sent`` is for a form whose answer did not come: whether it did something is not known.
    """
    return page("shop/offline.html", is_sent="sent" in request.args)


@bp.get("/shop/icon.svg")
@public("a picture")
def icon() -> AnyResponse:
    """Draw the picture on the home screen."""
    response = make_response(page("shop/icon.svg", theme=THEME, ground=GROUND))
    response.mimetype = "image/svg+xml"
    return response


@bp.get("/shop/manifest.webmanifest")
@public("what a home screen asks for; no data")
def manifest() -> AnyResponse:
    """Describe the app to a home screen."""
    told = {
        "name": say_in_words(APP_NAME),
        "short_name": "Giftpad",
        "description": say_in_words(APP_PURPOSE),
        "lang": edge.current_locale(),
        "id": SCOPE,
        "start_url": SCOPE,
        "scope": SCOPE,
        "display": "standalone",
        "orientation": "any",
        "theme_color": THEME,
        "background_color": GROUND,
        "icons": [
            {
                "src": url_for("shop_app.icon"),
                "sizes": "any",
                "type": "image/svg+xml",
                "purpose": purpose,
            }
            for purpose in ("any", "maskable")
        ],
    }
    text = json.dumps(told, ensure_ascii=False)
    return Response(text, mimetype="application/manifest+json")
