"""Language: source sentences are English; Japanese and others live in ``translations/``.

Hides: gettext, Babel, where the catalogues lie.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.core import Locale, negotiate_locale
from babel.numbers import format_currency
from babel.support import NullTranslations, Translations

from giftpad.kernel.money import get_unit

LOCALES = ("ja", "en")
DEFAULT_LOCALE = "ja"
SOURCE_LOCALE = "en"
TRANSLATIONS = Path(__file__).resolve().parents[2] / "translations"


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
    """Return ``sentence`` in ``locale`` with its parameters filled in.

    A parameter that the sentence does not name is ignored; one that is missing stays as written.
    """
    text = _catalogue(locale).gettext(sentence) if sentence else ""
    return text.format_map(_Known(params))


class _Known(dict[str, object]):
    """Leave a placeholder without a value as it stands: a sentence is never lost to a slip."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def format_amount(amount_minor: int, unit_code: str, locale: str) -> str:
    """Write an amount as people of ``locale`` read it: 1,000円 in Japanese, ¥1,000 in English."""
    unit = get_unit(unit_code)
    if unit.code == "JPY" and locale.startswith("ja"):
        return f"{amount_minor:,}円"
    whole = amount_minor / 10**unit.scale if unit.scale else amount_minor
    return format_currency(whole, unit.code, locale=Locale.parse(locale))
