"""What a page asks of passkeys and authenticator apps, and what a form brings back.

Hides: how the challenge and the secret, which nobody has kept yet, travel with the page: sealed,
for one person and for a few minutes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import request

from giftpad import identity
from giftpad.edge import open_text, seal_text
from giftpad.portals.account.pending import seen
from giftpad.portals.qr import DrawnQr, draw_qr

PASSKEY, APP = "passkey-asked", "app-offered"
PASSKEY_S, APP_S = 300, 1800
ANYBODY = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPasskey:
    """What a page hands to the browser's passkeys: the question, and what seals it to the form."""

    options: str
    asked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedApp:
    """What a page shows to an authenticator app: as a QR, or to be typed."""

    qr: DrawnQr
    address: str
    groups: Sequence[str]
    asked: str


def _seal(asked: identity.PasskeyAsked, whose: str) -> AskedPasskey:
    challenge = base64.urlsafe_b64encode(asked.challenge).decode()
    sealed = seal_text(PASSKEY, {"challenge": challenge, "of": whose})
    return AskedPasskey(options=asked.options, asked=sealed)


def ask_any_passkey() -> AskedPasskey | None:
    """Ask for any passkey; None where browsers keep none for this address."""
    if not identity.offers_passkeys():
        return None
    return _seal(identity.ask_passkey(), ANYBODY)


def ask_passkey_of(person_id: UUID) -> AskedPasskey:
    """Ask for a passkey of somebody."""
    return _seal(identity.ask_passkey(person_id), str(person_id))


def ask_new_passkey(person_id: UUID) -> AskedPasskey | None:
    """Ask for a new passkey for somebody; None where browsers keep none for this address."""
    if not identity.offers_passkeys():
        return None
    return _seal(identity.ask_new_passkey(person_id), f"new:{person_id}")


def find_passkey_answer(person_id: UUID | None, *, is_new: bool = False) -> tuple[str, bytes]:
    """Return what the browser's passkey answered, and the challenge that the page asked with.

    Raises: PasskeyRefused.
    """
    whose = ANYBODY if person_id is None else str(person_id)
    opened = open_text(PASSKEY, request.form.get("asked", ""), PASSKEY_S)
    if opened is None or opened["of"] != (f"new:{whose}" if is_new else whose):
        raise identity.PasskeyRefused
    return request.form.get("answer", ""), base64.urlsafe_b64decode(opened["challenge"])


def offer_app(person_id: UUID) -> OfferedApp:
    """Offer somebody an authenticator app; the same again while the page stands."""
    opened = open_text(APP, request.form.get("app", ""), APP_S)
    if opened is not None and opened["of"] == str(person_id):
        offer = identity.offer_authenticator(person_id, secret=opened["secret"])
    else:
        offer = identity.offer_authenticator(person_id)
    secret = offer.secret
    return OfferedApp(
        qr=draw_qr(offer.address),
        address=offer.address,
        groups=[secret[start : start + 4] for start in range(0, len(secret), 4)],
        asked=seal_text(APP, {"secret": secret, "of": str(person_id)}),
    )


def take_app(person_id: UUID, typed: str, on: identity.Standing) -> Sequence[str]:
    """Take the authenticator app that a page has offered; return the sheet of codes, if any.

    Raises: CodeWrong, SessionOver.
    """
    opened = open_text(APP, request.form.get("app", ""), APP_S)
    if opened is None or opened["of"] != str(person_id):
        raise identity.CodeWrong
    return identity.add_authenticator(person_id, opened["secret"], typed, seen(), on=on)


def take_passkey(person_id: UUID, on: identity.Standing) -> Sequence[str]:
    """Take the passkey that a page has asked for; return the sheet of codes, if any.

    Raises: PasskeyRefused, SessionOver.
    """
    answer, challenge = find_passkey_answer(person_id, is_new=True)
    return identity.add_passkey(person_id, answer, challenge, seen(), on=on)
