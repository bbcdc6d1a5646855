"""The people of a demonstration, shown to whoever sits at the machine itself, and to nobody else.

Hides: the file in which a start with ``--demo`` writes them down.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app, request

from giftpad.edge import is_loopback
from giftpad.kernel.config import Settings

DEMO_FILE = "demo.json"
PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """Somebody one may be in a demonstration."""

    tenant: str
    name: str
    email: str
    role: str
    password: str = field(repr=False)


def list_demo_people() -> list[DemoPerson]:
    """Return who one may be; nobody unless this is a demonstration and asked for at the machine."""
    settings: Settings = current_app.extensions["giftpad_settings"]
    if not _is_at_the_machine(settings):
        return []
    return _read(settings.home / DEMO_FILE)


def _is_at_the_machine(settings: Settings) -> bool:
    """Whether no other machine can have asked; behind a proxy nobody can tell.

    A proxy on this machine that says of itself nothing at all, such as nginx with a bare
    ``proxy_pass``, is not told from somebody sitting here: a demonstration is not to be put
    behind one.
    """
    if settings.trusted_proxies or any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        return is_loopback() and ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _read(file: Path) -> list[DemoPerson]:
    try:
        written = json.loads(file.read_text(encoding="utf-8"))
        return [
            DemoPerson(
                tenant=str(person["tenant"]),
                name=str(person["name"]),
                email=str(person["email"]),
                role=str(person["role"]),
                password=str(written["password"]),
            )
            for person in written["people"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []
