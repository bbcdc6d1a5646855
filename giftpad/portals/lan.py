"""How a phone of the local network gets here, and learns to trust this machine.

Hides: where the authority's certificate lies.  There is no such
page where phones are not served (`giftpad up --lan`).
"""

from __future__ import annotations

import hashlib
import ssl
from http import HTTPStatus

from flask import Blueprint, Response, abort, current_app

from giftpad import edge
from giftpad.kernel.config import Settings
from giftpad.portals.http import page
from giftpad.portals.qr import draw_qr

PAIRS = 8
CERTIFICATE_TYPE = "application/x-x509-ca-cert"

bp = Blueprint("lan", __name__)


@bp.get("/lan")
@edge.public("A phone asks the way before anybody can sign in on it.")
def index() -> str:
    """Show the address, its QR, and how a phone comes to trust this machine."""
    settings = _settings()
    return page(
        "lan.html",
        address=settings.lan_url,
        qr=draw_qr(settings.lan_url + "/lan"),
        fingerprint=_lines(hashlib.sha256(_certificate(settings)).hexdigest()),
    )


@bp.get("/lan/giftpad-ca.crt")
@edge.public("A certificate is for whoever is to trust it; it holds no secret.")
def certificate() -> Response:
    """Hand out the certificate of this machine's authority, as phones take it."""
    return Response(_certificate(_settings()), mimetype=CERTIFICATE_TYPE)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["giftpad_settings"]
    if not settings.lan_address:
        abort(HTTPStatus.NOT_FOUND)
    return settings


def _certificate(settings: Settings) -> bytes:
    return ssl.PEM_cert_to_DER_cert(settings.lan_ca_path.read_text("ascii"))


def _lines(digest: str) -> list[str]:
    """Return a fingerprint in pairs, as phones show it, on lines that a phone has room for."""
    pairs = [digest[at : at + 2].upper() for at in range(0, len(digest), 2)]
    return [":".join(pairs[at : at + PAIRS]) for at in range(0, len(pairs), PAIRS)]
