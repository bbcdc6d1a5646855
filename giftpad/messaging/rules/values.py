"""The values of letters: the kinds there are, what fits each, how each is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from giftpad.kernel.i18n import mark

TEXT_LENGTH_MAX = 100
LONG_LENGTH_MAX = 2_000
LINK_LENGTH_MAX = 500
MINUTES_MAX = 60 * 24

NOTICES: Mapping[str, str] = {
    "password_changed": mark("The password of your account was changed."),
    "new_sign_in": mark("Somebody signed in to your account on a device that was new."),
    "signed_out": mark("All devices were signed out of your account."),
    "passkey_added": mark("A passkey was added to your account."),
    "passkey_removed": mark("A passkey was removed from your account."),
    "second_step_on": mark("Signing in to your account now asks for a second step."),
    "second_step_off": mark("Signing in to your account no longer asks for a second step."),
    "recovery_codes_renewed": mark("New recovery codes were made for your account."),
    "codes_guessed": mark(
        "Somebody who knows your password typed wrong codes of your authenticator app, many times."
    ),
    "recovery_code_used": mark("A recovery code of your account was used."),
    "address_changed": mark("The mail address of your account was changed."),
    "account_linked": mark("An account of your organisation was linked to your account."),
    "account_unlinked": mark("An account of your organisation is not linked to yours any more."),
}
"""What a notice can tell of; its value ``what`` is one of these names."""


def _text(value: Any) -> str | None:
    """One line that shows something: line breaks and what steers a display could forge others."""
    fits = isinstance(value, str) and 1 <= len(value.strip()) <= TEXT_LENGTH_MAX
    if not fits or any(unicodedata.category(sign) in _STEERING for sign in value):
        return None
    return str(value).strip()


_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_IN_LONG = "\n\u200d"
"""What a text of many lines may hold of them: its lines' ends, and what joins parts of an emoji."""


def _long(value: Any) -> str | None:
    """Lines that somebody wrote by hand, with one kind of line end."""
    if not isinstance(value, str):
        return None
    text = value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").strip()
    if not 1 <= len(text) <= LONG_LENGTH_MAX:
        return None
    if any(sign not in _IN_LONG and unicodedata.category(sign) in _STEERING for sign in text):
        return None
    return text


def _matching(pattern: str) -> Callable[[Any], str | None]:
    whole = re.compile(pattern)
    return lambda value: (
        value if isinstance(value, str) and whole.fullmatch(value) is not None else None
    )


def _link(value: Any) -> str | None:
    fits = isinstance(value, str) and len(value) <= LINK_LENGTH_MAX and value.isascii()
    if not fits or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return str(value) if parts.scheme in ("http", "https") and parts.hostname else None


def _minutes(value: Any) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= MINUTES_MAX else None


def _instant(value: Any) -> str | None:
    is_aware = isinstance(value, datetime) and value.tzinfo is not None
    return value.isoformat() if is_aware else None


def _day(value: Any) -> str | None:
    return value.isoformat() if type(value) is date else None


def fits(kind: str, value: Any) -> bool:
    """Whether a letter can take a value of this kind; what was promised before can then be kept."""
    return KINDS[kind](value) is not None


KINDS: Mapping[str, Callable[[Any], str | int | None]] = {
    "text": _text,
    "long": _long,
    "colour": _matching(r"#[0-9a-f]{6}"),
    "digits": _matching(r"[0-9]{6}"),
    "code": _matching(r"[0-9A-Z]{6,8}"),
    "host": _matching(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"),
    "notice": lambda value: value if value in NOTICES else None,
    "link": _link,
    "minutes": _minutes,
    "instant": _instant,
    "day": _day,
}
