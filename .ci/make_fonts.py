"""Make the fonts that the pages load: subsets of the typeface that the paper is printed in.

``core`` holds the characters of the translations, kana, ASCII and signs.  ``num`` holds the digits
alone, all made equally wide: the typeface has a narrow 1 and no tabular figures, so an amount
under the fingers would jump and columns of money would not stand straight.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from babel.messages.pofile import read_po
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "print_templates" / "node_modules" / "@expo-google-fonts" / "biz-udpgothic"
FACES = {
    400: SOURCE / "400Regular" / "BIZUDPGothic_400Regular.ttf",
    700: SOURCE / "700Bold" / "BIZUDPGothic_700Bold.ttf",
}
TARGET = ROOT / "giftpad" / "portals" / "frontend" / "fonts"
FAMILY = "Giftpad UD"
DIGITS = "0123456789"
NUMBERS = f"{DIGITS},.¥"
SIGNS = (
    "\u3000、。，．・：；？！゛゜〃々〆〇ー―‐／～〜｜…‥‘’“”（）〔〕［］｛｝〈〉《》「」『』【】"  # noqa: RUF001
    "＋−±×÷＝≠＜＞≦≧％＃＆＊＠§☆★○●◎◇◆□■△▲▽▼※〒→←↑↓〓✓✔￥円–—•·©®«»"  # noqa: RUF001
)
KANA = "".join(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB)]))
ASCII = "".join(map(chr, range(0x20, 0x7F)))
DATES = "年月日時分秒曜火水木金土午前後第回件人枚券番号東西南北県市区町村令和昭平成大正"
KANJI_OF_LAYOUTS = "標準小中特漢字日本語"


def characters(translations: Iterable[Path]) -> str:
    """Return every character that a page in Japanese may need, sorted, without the digits."""
    wanted = set(SIGNS + KANA + ASCII + DATES + KANJI_OF_LAYOUTS)
    for path in translations:
        with path.open("rb") as file:
            for message in read_po(file):
                wanted.update(str(message.string))
    return "".join(sorted(wanted - {"\n", "\t"}))


def subset(face: Path, text: str) -> TTFont:
    """Return a face cut down to the characters of ``text``, under the name of the house."""
    options = Options()
    options.flavor = "woff2"
    options.hinting = False
    options.layout_features = ["kern", "liga", "ccmp", "vert"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    font = TTFont(BytesIO(face.read_bytes()), lazy=False)
    cutter = Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in {1, 3, 4}:
            record.string = FAMILY
        elif record.nameID == 6:  # noqa: PLR2004 - the PostScript name, which has no spaces
            record.string = FAMILY.replace(" ", "")
    return font


def make_even(font: TTFont) -> None:
    """Give every digit the width of the widest, its drawing in the middle."""
    names = {font.getBestCmap()[ord(digit)] for digit in DIGITS}
    widths = font["hmtx"]
    widest = max(widths[name][0] for name in names)
    for name in names:
        width, bearing = widths[name]
        shift = (widest - width) // 2
        if shift:
            font["glyf"][name].coordinates.translate((shift, 0))
            font["glyf"][name].recalcBounds(font["glyf"])
        widths[name] = (widest, bearing + shift)


def save(font: TTFont, name: str) -> None:
    """Write one font as the browser loads it."""
    font.flavor = "woff2"
    font.save(TARGET / f"{name}.woff2")


def main() -> None:
    """Write all fonts and their licence."""
    TARGET.mkdir(parents=True, exist_ok=True)
    text = characters(sorted((ROOT / "translations").glob("*/LC_MESSAGES/*.po")))
    for weight, face in FACES.items():
        save(subset(face, text), f"core-{weight}")
        numbers = subset(face, NUMBERS)
        make_even(numbers)
        save(numbers, f"num-{weight}")
    shutil.copyfile(SOURCE / "LICENSE_FONT", TARGET / "OFL.txt")


if __name__ == "__main__":
    main()
