"""The templates: what each says, which values it needs, and what it looks like when written.

Hides: the wording's translations.  A line is an English sentence, found in ``translations/`` by
its text like any other; a line that is a code or an address alone is the same in every language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_datetime
from markupsafe import Markup, escape

from giftpad.kernel.i18n import LOCALES, mark, translate
from giftpad.messaging.errors import TemplateUnknown, ValuesUnfit

TEXT_LENGTH_MAX = 100
LINK_LENGTH_MAX = 500
MINUTES_MAX = 60 * 24
INSTANTS: Mapping[str, str] = {"ja": "y年M月d日(E) H:mm z", "en": "d MMMM y (EEE) HH:mm z"}
CODE_LINE, LINK_LINE = "{code}", "{link}"
BOUND_LINE = "@{host} #{code}"
"""The last line of a message with a code: browsers fill the code in on this host alone.

Source: the origin-bound one-time code format of the WICG.
"""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One template: its subject, its lines, the kind of each value, its lines as an SMS."""

    subject: str
    lines: tuple[str, ...]
    values: Mapping[str, str]
    sms: tuple[str, ...] = ()
    is_code: bool = False


LETTERS: Mapping[str, Letter] = {
    "sign_in_code": Letter(
        subject=mark("Your code for signing in to {organisation}"),
        lines=(
            mark("This is your code for signing in to {organisation}:"),
            CODE_LINE,
            mark("Enter it on the page where you asked for it, within {minutes} minutes."),
            mark("Tell it to nobody. {organisation} never asks for it by mail or telephone."),
            mark("If you did not ask for a code, you need not do anything."),
            BOUND_LINE,
        ),
        sms=(
            mark("{organisation}: your code for signing in is {code}. Tell it to nobody."),
            BOUND_LINE,
        ),
        values={"organisation": "text", "code": "digits", "minutes": "minutes", "host": "host"},
        is_code=True,
    ),
    "password_reset": Letter(
        subject=mark("Your code for a new password at {organisation}"),
        lines=(
            mark("Somebody, probably you, wants to set a new password at {organisation}."),
            mark("This is the code for it:"),
            CODE_LINE,
            mark("Enter it on the page where you asked for it, within {minutes} minutes."),
            mark("Tell it to nobody. {organisation} never asks for it by mail or telephone."),
            mark("If it was not you, do nothing: your password stays as it is."),
            BOUND_LINE,
        ),
        values={"organisation": "text", "code": "code", "minutes": "minutes", "host": "host"},
        is_code=True,
    ),
    "invitation": Letter(
        subject=mark("{organisation} invites you"),
        lines=(
            mark("{organisation} invites you to work together with Giftpad."),
            mark("To accept, open this address. It works once, and until {until_day}:"),
            LINK_LINE,
            mark("If you do not know {organisation}, you need not do anything."),
        ),
        values={"organisation": "text", "link": "link", "until_day": "day"},
    ),
    "security_notice": Letter(
        subject=mark("About your account at {organisation}"),
        lines=(
            "{what}",
            mark("When: {at}"),
            mark("Device: {device}"),
            mark("If it was you, you need not do anything."),
            mark(
                "If it was not you, open this address now, set a new password and sign out"
                " everywhere:"
            ),
            LINK_LINE,
            mark("If you cannot sign in there any more, call {organisation}."),
        ),
        values={
            "organisation": "text",
            "what": "notice",
            "at": "instant",
            "device": "text",
            "link": "link",
        },
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message as somebody will read it."""

    locale: str
    subject: str
    text: str
    html: str = ""


def get_letter(template: str, channel: str) -> Letter:
    """Return a template.

    Raises: TemplateUnknown if there is none, or none for this channel.
    """
    letter = LETTERS.get(template)
    if letter is None or (channel == "sms" and not letter.sms):
        raise TemplateUnknown(template=template, channel=channel)
    return letter


def check_values(template: str, values: Mapping[str, Any]) -> dict[str, str | int]:
    """Return the values of a template as they are kept; none is missing, and none too much.

    Raises: ValuesUnfit.
    """
    kinds = LETTERS[template].values
    kept: dict[str, str | int] = {}
    unfit = sorted(set(values) - set(kinds))
    for name, kind in kinds.items():
        found = _KINDS[kind](values[name]) if name in values else None
        if found is None:
            unfit.append(name)
        else:
            kept[name] = found
    if unfit:
        raise ValuesUnfit(template=template, names=", ".join(unfit))
    return kept


def _text(value: Any) -> str | None:
    """One line that shows something: line breaks and what steers a display could forge others."""
    fits = isinstance(value, str) and 1 <= len(value.strip()) <= TEXT_LENGTH_MAX
    if not fits or any(unicodedata.category(sign) in _STEERING for sign in value):
        return None
    return str(value).strip()


_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}


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


_KINDS: Mapping[str, Callable[[Any], str | int | None]] = {
    "text": _text,
    "digits": _matching(r"[0-9]{6}"),
    "code": _matching(r"[0-9A-Z]{6,8}"),
    "host": _matching(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"),
    "notice": lambda value: value if value in NOTICES else None,
    "link": _link,
    "minutes": _minutes,
    "instant": _instant,
    "day": _day,
}


def write(
    template: str, channel: str, values: Mapping[str, str | int], *, locale: str, zone: str
) -> Written:
    """Write a message in the reader's language; instants are told in ``zone``."""
    assert locale in LOCALES
    letter = LETTERS[template]
    shown = {
        name: _shown(letter.values[name], value, locale, zone) for name, value in values.items()
    }
    lines = letter.lines if channel == "mail" else letter.sms
    told = [translate(line, locale, **shown) for line in lines]
    if channel == "sms":
        return Written(locale=locale, subject="", text="\n\n".join(told))
    return Written(
        locale=locale,
        subject=translate(letter.subject, locale, **shown),
        text="\n\n".join(told) + "\n",
        html=_as_html(dict(zip(lines, told, strict=True)), locale),
    )


def _shown(kind: str, value: str | int, locale: str, zone: str) -> str | int:
    if kind == "notice":
        return translate(NOTICES[str(value)], locale)
    if kind == "instant":
        instant = datetime.fromisoformat(str(value)).astimezone(ZoneInfo(zone))
        return format_datetime(
            instant, INSTANTS[locale], tzinfo=ZoneInfo(zone), locale=Locale.parse(locale)
        )
    return value


_LARGE = "font-size:28px;font-weight:bold;letter-spacing:3px"
_PAGE = Markup(
    '<!doctype html>\n<html lang="{locale}"><head><meta charset="utf-8"></head>\n'
    '<body style="font-family:sans-serif;font-size:16px;line-height:1.7;color:#222">\n'
    "{body}\n</body></html>\n"
)


def _as_html(told: Mapping[str, str], locale: str) -> str:
    """Return the same lines with the code large and the address to be clicked; no picture."""
    paragraphs = []
    for line, words in told.items():
        shown: Markup = escape(words)
        if line == LINK_LINE:
            shown = Markup('<a href="{0}">{0}</a>').format(words)
        style = Markup(' style="{}"').format(_LARGE) if line == CODE_LINE else Markup("")
        paragraphs.append(Markup("<p{}>{}</p>").format(style, shown))
    return str(_PAGE.format(locale=locale, body=Markup("\n").join(paragraphs)))
