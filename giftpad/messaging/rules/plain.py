"""A mail about an account as HTML: the same lines as the text, no picture."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from giftpad.messaging.rules.wording import CODE_LINE, LINK_LINE

_LARGE = "font-size:28px;font-weight:bold;letter-spacing:3px"
_PAGE = Markup(
    '<!doctype html>\n<html lang="{locale}"><head><meta charset="utf-8"></head>\n'
    '<body style="font-family:sans-serif;font-size:16px;line-height:1.7;color:#222">\n'
    "{body}\n</body></html>\n"
)


def as_plain_html(told: Sequence[tuple[str, str]], locale: str) -> str:
    """Return the same lines with the code large and the address to be clicked; no picture."""
    paragraphs = []
    for line, words in told:
        shown: Markup = escape(words)
        if line == LINK_LINE:
            shown = Markup('<a href="{0}">{0}</a>').format(words)
        style = Markup(' style="{}"').format(_LARGE) if line == CODE_LINE else Markup("")
        paragraphs.append(Markup("<p{}>{}</p>").format(style, shown))
    return str(_PAGE.format(locale=locale, body=Markup("\n").join(paragraphs)))
