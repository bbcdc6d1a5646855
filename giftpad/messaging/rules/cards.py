"""A letter about a gift as HTML: one column of tables, as mail programs have read it for decades.

Every colour is written beside the one behind it, and the mail says that it is light: a program
that turns colours round at night turns both or none.  There is no script, no style sheet, nothing
that is fetched; the picture travels with the mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from giftpad.messaging.rules.wording import LINK_LINE, MESSAGE_LINE

PICTURE = "<!-- picture -->"
"""Where the picture goes; a mail without one keeps the remark."""
PICTURE_CID = "picture"
PICTURE_TAG = (
    f'<tr><td style="padding:0"><img src="cid:{PICTURE_CID}" alt="" width="600"'
    ' style="display:block;width:100%;max-width:600px;height:auto;border:0"></td></tr>'
)
WHITE, BLACK = "#ffffff", "#000000"
LIGHT_FROM = 0.179
"""Above this luminance black is easier to read on a colour than white (WCAG 2.2, 1.4.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What a card needs beside its lines; colours are written as ``#rrggbb``."""

    locale: str
    title: str
    button: str
    paper: str = "#fffdf8"
    ink: str = "#222222"
    band: str = "#8a1f3d"
    stop_words: str = ""
    stop_link: str = ""


_PAGE = Markup(
    '<!doctype html>\n<html lang="{locale}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light"><meta name="supported-color-schemes"'
    ' content="light"><title>{title}</title></head>\n'
    '<body style="margin:0;padding:0;background:{paper};color:{ink}">\n'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
    ' bgcolor="{paper}" style="background:{paper}"><tr><td align="center"'
    ' style="padding:16px 8px">\n'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"'
    ' bgcolor="{paper}" style="max-width:600px;background:{paper};color:{ink};'
    'font-family:sans-serif;font-size:16px;line-height:1.7;text-align:left">\n'
    '<tr><td bgcolor="{band}" height="8" style="background:{band};height:8px;'
    'font-size:16px;line-height:8px">&nbsp;</td></tr>\n'
    "{picture}\n{rows}\n</table>\n</td></tr></table>\n</body></html>\n"
)
_ROW = Markup('<tr><td style="padding:8px 16px;color:{ink};font-size:16px">{words}</td></tr>')
_HEAD = Markup(
    '<tr><td style="padding:16px 16px 8px;color:{ink}"><h1 style="margin:0;font-size:22px;'
    'line-height:1.5;color:{ink}">{words}</h1></td></tr>'
)
_QUOTE = Markup(
    '<tr><td style="padding:8px 16px"><table role="presentation" width="100%" cellpadding="0"'
    ' cellspacing="0" border="0"><tr><td style="padding:4px 16px;border-left:4px solid {band};'
    'color:{ink};font-size:17px">{words}</td></tr></table></td></tr>'
)
_BUTTON = Markup(
    '<tr><td style="padding:16px"><table role="presentation" cellpadding="0" cellspacing="0"'
    ' border="0"><tr><td bgcolor="{band}" style="background:{band};border-radius:6px">'
    '<a href="{link}" style="display:inline-block;padding:14px 28px;font-size:18px;'
    'font-weight:bold;color:{label};text-decoration:none">{words}</a></td></tr></table>'
    '<p style="margin:8px 0 0;font-size:16px;color:{ink};word-break:break-all">'
    '<a href="{link}" style="color:{ink}">{link}</a></p></td></tr>'
)
_STOP = Markup(
    '<tr><td style="padding:24px 16px 8px;color:{ink};font-size:16px">{words}<br>'
    '<a href="{link}" style="color:{ink};word-break:break-all">{link}</a></td></tr>'
)


def label_on(colour: str) -> str:
    """Return the colour in which a word can be read on another one.

    >>> label_on("#8a1f3d"), label_on("#f3d36b")
    ('#ffffff', '#000000')
    """
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part**2.2 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return BLACK if luminance > LIGHT_FROM else WHITE


def as_card(told: Sequence[tuple[str, str]], looks: Looks) -> str:
    """Write the lines of a letter, each with the template line it came from, as a card."""
    colours = {
        "paper": looks.paper,
        "ink": looks.ink,
        "band": looks.band,
        "label": label_on(looks.band),
    }
    rows = [_HEAD.format(words=looks.title, **colours)]
    for line, words in told:
        if line == LINK_LINE:
            rows.append(_BUTTON.format(link=words, words=looks.button, **colours))
        elif line == MESSAGE_LINE:
            rows.append(_QUOTE.format(words=_in_lines(words), **colours))
        elif line.endswith("_link}") and line.startswith("{"):
            link = Markup('<a href="{0}" style="color:{1};word-break:break-all">{0}</a>')
            rows.append(_ROW.format(words=link.format(words, looks.ink), **colours))
        else:
            rows.append(_ROW.format(words=_in_lines(words), **colours))
    if looks.stop_link:
        rows.append(_STOP.format(words=looks.stop_words, link=looks.stop_link, **colours))
    return str(
        _PAGE.format(
            locale=looks.locale,
            title=looks.title,
            picture=Markup(PICTURE),  # noqa: S704 - a constant
            rows=Markup("\n").join(rows),
            **colours,
        )
    )


def _in_lines(words: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in words.split("\n"))
