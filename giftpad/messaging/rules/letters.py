"""The templates: what each says, which values it needs, and what it looks like when written.

Hides: the wording's translations.  A line is an English sentence, found in ``translations/`` by
its text like any other; a line that is a code or an address alone is the same in every language.
A tenant's own words take the place of the lines of a letter about gifts.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_datetime

from giftpad.kernel.i18n import LOCALES, fill_in, mark, translate
from giftpad.messaging.errors import TemplateUnknown, ValuesUnfit
from giftpad.messaging.rules.accounts import ACCOUNT_LETTERS
from giftpad.messaging.rules.cards import PICTURE, PICTURE_CID, PICTURE_TAG, Looks, as_card
from giftpad.messaging.rules.gifts import GIFT_LETTERS
from giftpad.messaging.rules.plain import as_plain_html
from giftpad.messaging.rules.values import KINDS, NOTICES
from giftpad.messaging.rules.wording import Letter, Wording, names_in

INSTANTS: Mapping[str, str] = {"ja": "y年M月d日(E) H:mm z", "en": "d MMMM y (EEE) HH:mm z"}
ENVELOPE = "envelope"
"""Under this name lies with the values what is not written into a letter."""
LETTERS: Mapping[str, Letter] = {**ACCOUNT_LETTERS, **GIFT_LETTERS}
STOP_LINE = mark("If you want no more letters like this one from {sender}, say so here:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message as somebody will read it; a mail's picture belongs at ``cards.PICTURE``."""

    locale: str
    subject: str
    text: str
    html: str = ""

    def with_picture(self, picture: bytes | None) -> Written:
        """Return the same with a PNG picture in the HTML itself; a mail has it beside."""
        if picture is None:
            return self
        address = "data:image/png;base64," + base64.b64encode(picture).decode()
        tag = PICTURE_TAG.replace(f"cid:{PICTURE_CID}", address)
        return replace(self, html=self.html.replace(PICTURE, tag, 1))


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
    letter = LETTERS[template]
    kept: dict[str, str | int] = {}
    unfit = sorted(set(values) - set(letter.values))
    for name, kind in letter.values.items():
        if name in letter.optional and values.get(name) in (None, ""):
            continue
        found = KINDS[kind](values[name]) if name in values else None
        if found is None:
            unfit.append(name)
        else:
            kept[name] = found
    if unfit:
        raise ValuesUnfit(template=template, names=", ".join(unfit))
    return kept


def write(
    template: str,
    channel: str,
    values: Mapping[str, str | int],
    *,
    locale: str,
    zone: str,
    wording: Wording | None = None,
    stop_link: str = "",
) -> Written:
    """Write a message in the reader's language; instants are told in ``zone``.

    ``wording`` is a tenant's own; ``stop_link`` is where the reader can say that it is enough.
    """
    assert locale in LOCALES
    letter = LETTERS[template]
    shown = {
        name: _shown(letter.values[name], value, locale, zone) for name, value in values.items()
    }

    def tell(line: str, *, is_own: bool) -> str:
        return fill_in(line, locale, shown) if is_own else translate(line, locale, **shown)

    def tell_all(house: tuple[str, ...], own: tuple[str, ...]) -> list[tuple[str, str]]:
        absent = letter.optional - set(values)
        return [
            (line, tell(line, is_own=bool(own)))
            for line in own or house
            if not names_in(line) & absent
        ]

    if channel == "sms":
        told = tell_all(letter.sms, wording.sms if wording else ())
        return Written(locale=locale, subject="", text="\n\n".join(words for _, words in told))
    told = tell_all(letter.lines, wording.lines if wording else ())
    subject = tell(wording.subject if wording else letter.subject, is_own=wording is not None)
    if template not in GIFT_LETTERS:
        html = as_plain_html(told, locale)
    else:
        html = as_card(told, _looks(letter, shown, subject, locale=locale, stop_link=stop_link))
    if stop_link:
        told += [("", translate(STOP_LINE, locale, **shown)), ("", stop_link)]
    text = "\n\n".join(words for _, words in told) + "\n"
    return Written(locale=locale, subject=subject, text=text, html=html)


def _looks(
    letter: Letter, shown: Mapping[str, str | int], title: str, *, locale: str, stop_link: str
) -> Looks:
    colours = {name: str(shown[name]) for name in ("paper", "ink", "band") if name in shown}
    return Looks(
        locale=locale,
        title=title,
        button=translate(letter.button, locale),
        stop_words=translate(STOP_LINE, locale, **shown) if stop_link else "",
        stop_link=stop_link,
        **colours,
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
