"""How values read on a page: money, numbers, days, hours and sentences in the reader's language.

Hides: Babel's patterns, where a Japanese phrase may break.  Every function takes the locale from
the request, so templates name none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date
from budoux import Parser, load_default_japanese_parser
from flask import g
from jinja2 import pass_context
from markupsafe import Markup, escape

from giftpad.edge import current_locale, find_caller
from giftpad.kernel.clock import DEFAULT_ZONE
from giftpad.kernel.i18n import READING, fill_in, format_amount, format_day, translate, wording

SHORT_DAYS: Mapping[str, str] = {"ja": "M月d日", "en": "d MMM"}
_DAY_NAMES = ("_on", "_day")
_RUBY = r"<ruby>\1<rp>(</rp><rt>\2</rt><rp>)</rp></ruby>"


def page_zone() -> str:
    """Return the zone in which this page, or list, tells the time: its tenant's.

    That is the caller's, unless the page says whose it is.
    """
    if "page_zone" not in g:
        caller = find_caller()
        g.page_zone = caller.tenant.zone if caller is not None else DEFAULT_ZONE
    zone: str = g.page_zone
    return zone


def say_in_words(sentence: str, **params: object) -> str:
    """Return a source sentence in the reader's language, its parameters as people read them.

    Amounts (``…_minor``) are in their ``unit``, days (``…_on``, ``…_day``) in full, other whole
    numbers with separators.  With readings asked for it is markup, where it has any.
    """
    locale = current_locale()
    shown = {name: _shown(name, value) for name, value in params.items()}
    if readings_are_shown() and READING.search(text := wording(sentence, locale)):
        return fill_in(_with_readings(text), locale, shown)
    return translate(sentence, locale, **shown)


def _with_readings(text: str) -> Markup:
    """Write how words are read above them; in brackets where that cannot be drawn."""
    return Markup(READING.sub(_RUBY, str(escape(text))))  # noqa: S704 - escaped one step before


def show_readings() -> None:
    """Show on this page how words are read, as its reader asks; such pages say it in text only."""
    g.page_readings = True


def readings_are_shown() -> bool:
    """Whether this page shows how words are read."""
    shown: bool = g.get("page_readings", False)
    return shown


def _shown(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, date):
        return value.isoformat() if name.endswith(_DAY_NAMES) else day(value)
    if isinstance(value, int) and not isinstance(value, bool) and not name.endswith("_minor"):
        return number(value)
    return value


def count_in_words(one: str, many: str, n: int, **params: object) -> str:
    """Return ``one`` or ``many`` of two source sentences, as ``n`` asks; both may name ``{n}``."""
    return say_in_words(one if n == 1 else many, n=n, **params)


def yen(amount_minor: int, unit: str = "JPY") -> str:
    """Write an amount: 1,000円 in Japanese, ¥1,000 in English."""
    return format_amount(amount_minor, unit, current_locale())


def number(value: int) -> str:
    """Write a whole number with separators."""
    return f"{value:,}"


def day(value: date | str) -> str:
    """Write a day with its year and weekday."""
    given = date.fromisoformat(value) if isinstance(value, str) else value
    return format_day(given, current_locale())


def short_day(value: date) -> str:
    """Write a day without its year."""
    locale = current_locale()
    return format_date(value, SHORT_DAYS[locale], locale=Locale.parse(locale))


def local(value: datetime) -> datetime:
    """Return an instant by the clock on the wall of the page's tenant."""
    return value.astimezone(ZoneInfo(page_zone()))


def clock(value: datetime) -> str:
    """Write the hour and minute of an instant."""
    return f"{local(value):%-H:%M}"


def when(value: datetime) -> str:
    """Write an instant with its day, hour and minute."""
    return f"{day(local(value).date())} {clock(value)}"


def sheet_when(value: datetime) -> str:
    """Write an instant as spreadsheets read and sort it, whatever the reader's language."""
    return f"{local(value):%Y-%m-%d %H:%M:%S}"


def short_when(value: datetime) -> str:
    """Write an instant without its year."""
    return f"{short_day(local(value).date())} {clock(value)}"


@cache
def _parser() -> Parser:
    return load_default_japanese_parser()


def phrases(text: str) -> Markup:
    """Let a Japanese text break only between its phrases."""
    if current_locale() != "ja" or isinstance(text, Markup):
        return escape(text)
    return Markup("<wbr>").join(escape(part) for part in _parser().parse(str(text)))


def sentences(texts: Iterable[str]) -> Markup:
    """Set sentences one after the other; in Japanese the full stop brings its own room."""
    gap = Markup("") if current_locale() == "ja" else Markup(" ")
    return gap.join(escape(text) for text in texts)


def _by_request(write: Callable[..., Any]) -> Callable[..., Any]:
    """Tell Jinja that a filter's result depends on the request.

    Else it would write a constant once, when the template is read, in whatever language that was.
    """

    @pass_context
    def shown(_: object, *values: Any) -> Any:
        return write(*values)

    return shown


_WRITERS: Mapping[str, Callable[..., Any]] = {
    "yen": yen,
    "num": number,
    "day": day,
    "short_day": short_day,
    "when": when,
    "short_when": short_when,
    "clock": clock,
    "phrases": phrases,
    "sentences": sentences,
}
FILTERS = {name: _by_request(write) for name, write in _WRITERS.items()}
