"""How texts are compared when somebody looks for a product: by sound and not by spelling.

Hides: widths, kinds of kana, case, spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WORDS_MAX = 8
"""Words of one search; what is typed after them is not looked for."""

_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_BETWEEN = re.compile(r"[\s・]+")
_APART = "\n"


def fold_text(text: str) -> str:
    """Return a text with one kind of kana, one width and one case, and nothing between words.

    >>> fold_text("ｽｷﾔｷ Beef"), fold_text("すきヤキ・BEEF")
    ('すきやきbeef', 'すきやきbeef')
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_TO_HIRAGANA)
    return _BETWEEN.sub("", folded)


def search_text(texts: Iterable[str]) -> str:
    """Return what a product is found by: its texts folded, each apart from the next."""
    return _APART.join(dict.fromkeys(folded for text in texts if (folded := fold_text(text))))


def search_words(text: str) -> list[str]:
    """Return the words that must all be found.

    >>> search_words("ビーフ　赤")
    ['びーふ', '赤']
    """
    return [folded for word in text.split() if (folded := fold_text(word))][:WORDS_MAX]
