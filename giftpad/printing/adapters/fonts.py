"""The typefaces that are embedded, and which of them can draw a character.

BIZ UDPGothic sets the type; Noto Sans JP stands in, character by character, for what it lacks.

Hides: font files, glyph tables, and reportlab's dynamic subsets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal

from fontTools.ttLib import (  # type: ignore[import-untyped]  # it ships no types
    TTFont as GlyphTables,
)
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from giftpad.printing.errors import MissingGlyph

FONTS_DIR: Final = (
    Path(__file__).parents[3] / "print_templates" / "node_modules" / "@expo-google-fonts"
)
# Of the em, above and below the baseline; both weights of BIZ UDPGothic agree.
ASCENT: Final = 0.88
DESCENT: Final = 0.12

NO_GLYPH: Final = ".notdef"  # what a face draws for all that it lacks: an empty box

Weight = Literal["regular", "bold"]

_FILES: Final[dict[Weight, tuple[str, str]]] = {
    "regular": (
        "biz-udpgothic/400Regular/BIZUDPGothic_400Regular.ttf",
        "noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf",
    ),
    "bold": (
        "biz-udpgothic/700Bold/BIZUDPGothic_700Bold.ttf",
        "noto-sans-jp/700Bold/NotoSansJP_700Bold.ttf",
    ),
}
_BEYOND_BMP = re.compile(r"<([0-9A-F]{5,6})>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Characters that one typeface draws."""

    font_name: str
    text: str


class Face(TTFont):
    """A TrueType face whose text layer is right beyond U+FFFF too.

    reportlab writes such a code point as five hexadecimal digits, which no reader understands;
    a ToUnicode map wants UTF-16.
    """

    def addObjects(self, doc: Any) -> None:  # noqa: N802 - reportlab's own signature
        """Add the subsets to the document, then mend their ToUnicode maps."""
        super().addObjects(doc)
        for name, thing in doc.idToObject.items():
            if name.startswith("toUnicodeCMap:"):
                thing.content = _BEYOND_BMP.sub(_as_utf16, thing.content)


def _as_utf16(found: re.Match[str]) -> str:
    return f"<{chr(int(found[1], 16)).encode('utf-16-be').hex().upper()}>"


@lru_cache
def _glyph_names(file: str) -> dict[int, str]:
    """Read which glyph each code point leads to."""
    with GlyphTables(FONTS_DIR / file, lazy=True) as tables:
        names: dict[int, str] = tables.getBestCmap()
    return names


@lru_cache
def registered(file: str) -> str:
    """Load a face once and answer with the name under which the PDF writer knows it."""
    name = Path(file).stem
    pdfmetrics.registerFont(Face(name, str(FONTS_DIR / file)))
    return name


@lru_cache(maxsize=20_000)
def _file_for(character: str, weight: Weight) -> str | None:
    """Find the file whose character map leads to a glyph."""
    if unicodedata.combining(character):
        return None  # it would be set beside its base, not on it
    for file in _FILES[weight]:
        if _glyph_names(file).get(ord(character), NO_GLYPH) != NO_GLYPH:
            return file
    return None


def main_file(weight: Weight) -> str:
    """Name the font file that draws all it can of a weight."""
    return _FILES[weight][0]


def base_font() -> str:
    """Name the face that a page begins with."""
    return registered(main_file("regular"))


def runs(text: str, weight: Weight) -> list[Run]:
    """Split a line into runs of one face each.

    Raises: MissingGlyph.
    """
    return [
        Run(font_name=registered(file), text="".join(group))
        for file, group in groupby(text, lambda character: drawing_file(character, weight))
    ]


def drawing_file(character: str, weight: Weight) -> str:
    """Find the font file that draws a character.

    Raises: MissingGlyph.
    """
    file = _file_for(character, weight)
    if file is None:
        raise MissingGlyph(character=character, code_point=f"U+{ord(character):04X}")
    return file


def check_glyphs(texts: Iterable[str]) -> None:
    """Refuse texts with a character that cannot be printed in either weight.

    Raises: MissingGlyph.
    """
    for character in sorted({character for text in texts for character in text} - {"\n"}):
        drawing_file(character, "regular")
        drawing_file(character, "bold")


def width_pt(line: str, weight: Weight, size: float) -> float:
    """Measure a line as it will be set, in points."""
    return sum(pdfmetrics.stringWidth(run.text, run.font_name, size) for run in runs(line, weight))
