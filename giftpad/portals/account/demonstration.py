"""The people of a demonstration, shown to whoever sits at the machine itself, and to nobody else.

Hides: the file in which a start with ``--demo`` writes them down, their passkeys among it.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from flask import current_app, request

from giftpad import identity
from giftpad.edge import is_loopback
from giftpad.kernel.config import Settings

DEMO_FILE = "demo.json"
PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPerson:
    """Somebody one may be in a demonstration."""

    id: UUID
    tenant: str
    name: str
    email: str
    role: str
    password: str = field(repr=False)
    passkey: dict[str, str] | None = field(repr=False)
    """Of those whose role asks for more than a password."""


def list_demo_people() -> list[DemoPerson]:
    """Return who one may be; nobody unless this is a demonstration and asked for at the machine."""
    settings: Settings = current_app.extensions["giftpad_settings"]
    if not _is_at_the_machine(settings):
        return []
    return _read(settings.home / DEMO_FILE)


def answer_for(email: str, *, source: str) -> identity.SignedIn:
    """Sign in as one of them, by the passkey that this machine holds, or the password it knows.

    Raises: PasskeyRefused, SignInRefused, SignInThrottled.
    """
    somebody = next((each for each in list_demo_people() if each.email == email), None)
    if somebody is None:
        raise identity.PasskeyRefused
    if somebody.passkey is None:
        return identity.sign_in(email, somebody.password, source=source)
    asked = identity.ask_passkey(somebody.id)
    answer = identity.answer_soft_passkey(
        somebody.passkey, identity.issuer().address, asked.challenge, person_id=somebody.id
    )
    return identity.prove_passkey(answer, asked.challenge, source=source)


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
                id=UUID(person["id"]),
                tenant=str(person["tenant"]),
                name=str(person["name"]),
                email=str(person["email"]),
                role=str(person["role"]),
                password=str(written["password"]),
                passkey=_passkey(person.get("passkey")),
            )
            for person in written["people"]
            if "id" in person
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _passkey(kept: dict[str, object] | None) -> dict[str, str] | None:
    return {name: str(text) for name, text in kept.items()} if kept is not None else None
