"""Breaking a text into lines by the rules of Japanese and Latin type.

Hides: where a line may break: after any Japanese character but not before a closing mark or
after an opening one, and never inside a Latin word or a number.
Source: JIS X 4051, line-head and line-end prohibition (the character sets are reportlab's).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from reportlab.lib.textsplit import ALL_CANNOT_END, ALL_CANNOT_START

# Straight quotes and the like stand in words too, so only marks beyond ASCII glue here;
# ASCII words are whole anyway.
_NO_START = re.escape(
    "".join(c for c in ALL_CANNOT_START if c > "~") + "\uff01\uff1f\uff1a\u3009\u300b\uff5d"
)
_NO_END = re.escape("".join(c for c in ALL_CANNOT_END if c > "~"))
_PIECE = re.compile(rf"[{_NO_END}]*(?:[!-~]+|[^\s{_NO_END}])?[{_NO_START}]*\s*")
_LOOSE_VOICE_MARK = re.compile("[\u3040-\u30ff][\u3099\u309a]")


def settled(text: str) -> str:
    """Join kana with loose voice marks, as some systems write them, and end lines with newlines.

    Nothing else is normalised: composing everything would change the characters of names.
    """
    if text.isascii() and "\r" not in text:
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return _LOOSE_VOICE_MARK.sub(lambda found: unicodedata.normalize("NFC", found[0]), text)


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> list[str] | None:
    """Break a text into lines no wider than ``width``; None if a single piece is wider."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for piece in _PIECE.findall(paragraph):
            if measure((line + piece).rstrip()) <= width:
                line += piece
                continue
            if not line or measure(piece.rstrip()) > width:
                return None
            lines.append(line.rstrip())
            line = piece
        lines.append(line.rstrip())
    return lines
