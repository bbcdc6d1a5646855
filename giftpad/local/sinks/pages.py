"""The HTTP of the sinks: an SMS provider, the page that shows what has arrived, the same as JSON.

Hides: Flask, where the built styles lie.  Only this machine may ask, and by its own name: a page
of somebody else cannot have a browser here read codes out.
"""

from __future__ import annotations

import hmac
import json
import socket
from dataclasses import asdict
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_datetime
from flask import Flask, Response, abort, render_template, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from giftpad.kernel.clock import DEFAULT_ZONE
from giftpad.kernel.i18n import DEFAULT_LOCALE, LOCALES, choose_locale, translate
from giftpad.local.postgres import HOST
from giftpad.local.sinks.part import SMS_PATH
from giftpad.local.sinks.receipts import TOLD, Teller
from giftpad.local.sinks.store import KEPT_MAX, Arrived, Store

STATIC = Path(__file__).resolve().parents[2] / "portals" / "static"
ENTRY = "ts/holder.ts"
SMS_BYTES_MAX = 16_384
TEXT_LENGTH_MAX = 2_000
OWN_NAMES = [HOST, "localhost"]
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; frame-src 'self'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
MAIL_SECURITY_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'"
)
"""Of a mail's own HTML: it shows itself and the pictures that came with it, and can do nothing."""


def build_app(store: Store, secret: str, teller: Teller) -> Flask:
    """Return the application of the sinks."""
    app = Flask(
        "giftpad.local.sinks",
        root_path=str(Path(__file__).parent),
        static_folder=str(STATIC),
        static_url_path="/assets",
    )
    app.config["TRUSTED_HOSTS"] = OWN_NAMES
    app.config["MAX_CONTENT_LENGTH"] = SMS_BYTES_MAX
    app.jinja_env.globals["styles"] = _styles(STATIC)
    app.add_url_rule("/", view_func=lambda: _show(store), endpoint="page")
    app.add_url_rule("/messages.json", view_func=lambda: _list(store), endpoint="messages")
    app.add_url_rule(
        SMS_PATH, view_func=lambda: _take(store, secret), endpoint="sms", methods=["POST"]
    )
    app.add_url_rule(SMS_PATH, view_func=lambda: _tell_of(store, secret), endpoint="asked")
    app.add_url_rule("/mails/<message_id>", view_func=partial(_show_mail, store), endpoint="mail")
    app.add_url_rule(
        "/receipts/<message_id>",
        view_func=partial(_tell, store, teller),
        endpoint="receipts",
        methods=["POST"],
    )
    app.after_request(_finish)
    return app


def _finish(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        MAIL_SECURITY_POLICY if request.endpoint == "mail" else CONTENT_SECURITY_POLICY
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    # A browser that tells nothing at all sends forms from "null", which nobody here believes.
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _check_token(secret: str) -> None:
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
        abort(HTTPStatus.UNAUTHORIZED)


def _tell_of(store: Store, secret: str) -> dict[str, str]:
    """Tell whether an SMS was taken, as a provider does that is asked for it by its key."""
    _check_token(secret)
    known = store.find("sms", request.args.get("key", ""))
    if known is None:
        abort(HTTPStatus.NOT_FOUND)
    return {"id": known.id}


def _show_mail(store: Store, message_id: str) -> Response:
    """Show a mail's HTML with the pictures that came with it, to be looked at in a frame."""
    message = store.get(message_id)
    if message is None or not message.html:
        abort(HTTPStatus.NOT_FOUND)
    page = message.html
    for name, picture in message.pictures.items():
        page = page.replace(f"cid:{name}", f"data:image/png;base64,{picture}")
    return Response(page, mimetype="text/html")


def _tell(store: Store, teller: Teller, message_id: str) -> Response:
    """Tell Giftpad what became of a message, as its provider would."""
    if request.headers.get("Origin", "") != request.host_url.rstrip("/"):
        abort(HTTPStatus.FORBIDDEN)  # a page of somebody else had it sent
    message, what = store.get(message_id), request.form.get("what", "")
    if message is None or what not in TOLD:
        abort(HTTPStatus.NOT_FOUND)
    if not teller.tell(message, what):
        abort(HTTPStatus.BAD_GATEWAY)
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"/?lang={_locale()}"})


def _take(store: Store, secret: str) -> tuple[dict[str, str], int]:
    """Take an SMS as a provider does; one that came with the same key before is not kept twice."""
    _check_token(secret)
    key = request.headers.get("Idempotency-Key", "")
    body = request.get_json(silent=True)
    if not key or not isinstance(body, dict):
        abort(HTTPStatus.BAD_REQUEST)
    to, text, sender = (body.get(name, "") for name in ("to", "text", "from"))
    if not all(isinstance(each, str) for each in (to, text, sender)) or not (to and text):
        abort(HTTPStatus.UNPROCESSABLE_ENTITY)
    known = store.find("sms", key)
    if known is not None:
        return {"id": known.id}, HTTPStatus.OK
    kept = store.keep(
        channel="sms",
        to=[to],
        sender=sender,
        subject="",
        text=text[:TEXT_LENGTH_MAX],
        html="",
        headers={},
        key=key,
    )
    return {"id": kept}, HTTPStatus.ACCEPTED


def _list(store: Store) -> Response:
    found = store.newest(request.args.get("to", ""))
    text = json.dumps({"messages": [asdict(each) for each in found]}, ensure_ascii=False)
    return Response(text, mimetype="application/json")


def _show(store: Store) -> str:
    locale = _locale()

    def say(sentence: str, **params: object) -> str:
        return translate(sentence, locale, **params)

    return render_template(
        "messages.html",
        _=say,
        locale=locale,
        messages=[(each, *_lines(each, locale)) for each in store.newest()],
        most=KEPT_MAX,
    )


def _lines(message: Arrived, locale: str) -> tuple[str, list[list[str]]]:
    """Return when a message arrived, and its paragraphs line by line."""
    at = format_datetime(
        datetime.fromisoformat(message.at),
        "medium",
        tzinfo=ZoneInfo(DEFAULT_ZONE),
        locale=Locale.parse(locale),
    )
    paragraphs = message.text.replace("\r\n", "\n").strip().split("\n\n")
    return at, [paragraph.split("\n") for paragraph in paragraphs]


def _locale() -> str:
    asked = request.args.get("lang", "")
    if asked in LOCALES:
        return asked
    return choose_locale([tag for tag, _ in request.accept_languages], DEFAULT_LOCALE)


def _styles(folder: Path) -> list[str]:
    """Return the built styles of the pages; none where they have not been built."""
    try:
        chunks = json.loads((folder / ".vite" / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        return []
    keys = [*chunks.get(ENTRY, {}).get("imports", ()), ENTRY]
    return [f"/assets/{name}" for key in keys for name in chunks.get(key, {}).get("css", ())]


class _Quiet(WSGIRequestHandler):
    """Writes no line a request: an address may stand in it."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""


def open_server(listening: socket.socket, app: Flask) -> BaseWSGIServer:
    """Return the server of the sinks on a socket; ``serve_forever`` runs it."""
    return make_server(
        HOST,
        listening.getsockname()[1],
        app,
        threaded=True,
        request_handler=_Quiet,
        fd=listening.fileno(),
    )
