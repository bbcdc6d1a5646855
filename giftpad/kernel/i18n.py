"""Language: source sentences are English; Japanese and others live in ``translations/``.

Hides: gettext, Babel, where the catalogues lie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel.core import Locale, negotiate_locale
from babel.dates import format_date
from babel.numbers import format_currency
from babel.support import NullTranslations, Translations

from giftpad.kernel.money import get_unit

LOCALES = ("ja", "en")
DEFAULT_LOCALE = "ja"
SOURCE_LOCALE = "en"
DEFAULT_UNIT = "JPY"
READING = re.compile("\uff5b([^\uff5b-\uff5d]+)\uff5c([^\uff5b-\uff5d]+)\uff5d")
"""How a translator says how a word is read: word, bar and reading, in braces, all full width."""

TRANSLATIONS = Path(__file__).resolve().parents[2] / "translations"
DAYS: Mapping[str, str] = {"ja": "y年M月d日(E)", "en": "d MMMM y (EEE)"}
_DAY_NAMES = ("_on", "_day")


def mark(sentence: str) -> str:
    """Mark an English sentence for translation where it is written, not where it is shown."""
    return sentence


def choose_locale(accepted: list[str], default: str = SOURCE_LOCALE) -> str:
    """Choose our best locale for a list of accepted ones, best first."""
    wanted = [tag.replace("-", "_") for tag in accepted]
    return negotiate_locale(wanted, LOCALES) or default


@cache
def _catalogue(locale: str) -> NullTranslations:
    if locale == SOURCE_LOCALE:
        return NullTranslations()
    return Translations.load(str(TRANSLATIONS), [locale])


def translate(sentence: str, locale: str, **params: object) -> str:
    """Return ``sentence`` in ``locale`` with its parameters filled in, as people read them.

    An amount (``…_minor``) is written in its ``unit``, a date (``…_on``, ``…_day``) with its
    year and weekday, a ``state`` in words.  A parameter that the sentence does not name is
    ignored; one that is missing stays as written.
    """
    return fill_in(READING.sub(r"\1", wording(sentence, locale)), locale, params)


def wording(sentence: str, locale: str) -> str:
    """Return ``sentence`` as its translator wrote it: parameters open, readings marked."""
    return _catalogue(locale).gettext(sentence) if sentence else ""


def fill_in(text: str, locale: str, params: Mapping[str, object]) -> str:
    """Fill the parameters of a wording in; what is markup stays so, and its parameters text."""
    if not params:
        return text  # it may be a name, and hold braces of its own
    unit = str(params.get("unit", DEFAULT_UNIT))
    shown = {name: _shown(name, value, unit, locale) for name, value in params.items()}
    if "state" in shown:
        shown["state"] = _catalogue(locale).gettext(state_words(str(shown["state"])))
    return text.format_map(_Known(shown))


def state_words(state: str) -> str:
    """Return the English words for a state: what its translation is found by."""
    return state.replace("_", " ")


def _shown(name: str, value: object, unit_code: str, locale: str) -> object:
    if name.endswith("_minor") and isinstance(value, int):
        return format_amount(value, unit_code, locale)
    if name.endswith(_DAY_NAMES) and isinstance(value, str):
        return format_day(date.fromisoformat(value), locale)
    return value


class _Known(dict[str, object]):
    """Leave a placeholder without a value as it stands: a sentence is never lost to a slip."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def format_day(day: date, locale: str) -> str:
    """Write a day with its year and weekday, the same on pages and in letters."""
    return format_date(day, DAYS[locale], locale=Locale.parse(locale))


def format_amount(amount_minor: int, unit_code: str, locale: str) -> str:
    """Write an amount as people of ``locale`` read it: 1,000円 in Japanese, ¥1,000 in English."""
    unit = get_unit(unit_code)
    if unit.code == "JPY" and locale.startswith("ja"):
        return f"{amount_minor:,}円"
    whole = Decimal(amount_minor).scaleb(-unit.scale)  # a float would lose cents of large sums
    return format_currency(whole, unit.code, locale=Locale.parse(locale))
