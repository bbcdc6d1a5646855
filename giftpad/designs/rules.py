"""What a design says: values, and which of them cannot be read by people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from giftpad.kernel.i18n import LOCALES, SOURCE_LOCALE
from giftpad.tenancy import Problems, Table, check_drawing, contrast, read_toml

HEAD_FILE, ART_FILE = "design.toml", "art.svg"
ART_SIZE = (720, 300)
"""Width and height of every picture, in its own units."""
ART_BYTES_MAX = 48 * 1024
ORDER_MAX = 999
TEXT_LENGTH_MAX = 80
CONTRAST_MIN = 4.5
COLOURS = ("paper", "ink", "band", "accent")
GROUNDS = (("ink", "paper"), ("accent", "paper"), ("paper", "band"))
"""What is written on what."""
HASH_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a gift looks; texts are by locale, colours as #RRGGBB."""

    name: str
    order: int
    names: Mapping[str, str]
    occasions: Mapping[str, str]
    picture: Mapping[str, str]
    """What is seen in the picture, for those who do not see it."""
    paper: str
    ink: str
    band: str
    """Frames the letter; words on it are in the colour of the paper."""
    accent: str
    art_hash: str
    """Tells one state of the picture and the colours from the next."""

    def name_in(self, locale: str) -> str:
        """Return what the design is called."""
        return self.names.get(locale) or self.names[SOURCE_LOCALE]

    def occasion_in(self, locale: str) -> str:
        """Return what the design is for."""
        return self.occasions.get(locale) or self.occasions[SOURCE_LOCALE]

    def picture_in(self, locale: str) -> str:
        """Return what is seen in the picture."""
        return self.picture.get(locale) or self.picture[SOURCE_LOCALE]


def read_design(name: str, head: bytes, art: bytes, problems: Problems) -> Design | None:
    """Read one design from its two files; what is wrong with them is a problem."""
    art_file = f"{name}/{ART_FILE}"
    size = check_drawing(art_file, art, problems, noun="picture", size_max=ART_BYTES_MAX)
    if size != ART_SIZE:
        wanted = f'viewBox="0 0 {ART_SIZE[0]} {ART_SIZE[1]}"'
        problems.add(art_file, 1, "The picture has another size.", remedy=f"Give it {wanted}.")
    art_hash = hashlib.sha256(head + b"\0" + art).hexdigest()[:HASH_LENGTH]

    def read(table: Table) -> Design:
        colours = _read_colours(table)
        return Design(
            name=name,
            order=table.whole("order", least=1, most=ORDER_MAX),
            names=_read_texts(table, "names"),
            occasions=_read_texts(table, "occasions"),
            picture=_read_texts(table, "picture"),
            art_hash=art_hash,
            **colours,
        )

    design: Design | None = read_toml(f"{name}/{HEAD_FILE}", head, problems, read=read)
    return design


def _read_texts(table: Table, key: str) -> dict[str, str]:
    inner = table.table(key)
    if inner is None:
        return dict.fromkeys(LOCALES, "")
    texts = {locale: inner.text(locale, length_max=TEXT_LENGTH_MAX) for locale in LOCALES}
    inner.close()
    return texts


def _read_colours(table: Table) -> dict[str, str]:
    inner = table.table("colours")
    if inner is None:
        return dict.fromkeys(COLOURS, "")
    pattern, shape = "#[0-9A-Fa-f]{6}", "a colour as #1F6F43"
    colours = {name: inner.text(name, pattern=pattern, shape=shape).upper() for name in COLOURS}
    for name, ground in GROUNDS:
        if not (_is_colour(colours[name]) and _is_colour(colours[ground])):
            continue
        ratio = contrast(colours[name], colours[ground])
        if ratio < CONTRAST_MIN:
            fault = f"{name} on {ground} has a contrast of {ratio:.2f}, not {CONTRAST_MIN}."
            inner.fault(name, fault, "Choose a darker or a lighter one of the two.")
    inner.close()
    return colours


def _is_colour(text: str) -> bool:
    return len(text) == len("#RRGGBB") and text.startswith("#")
