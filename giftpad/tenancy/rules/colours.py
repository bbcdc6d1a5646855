"""A tenant's colours: from one brand colour the house derives those that can be read.

Hides: OKLCH, the steps by which a colour is made lighter or darker until its contrast holds.

Source: W3C WCAG 2.2, relative luminance and contrast ratio; CSS Color 4, Oklab.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

WHITE, PAPER, INK = "#FFFFFF", "#FFFBF5", "#2B2420"
DARK_CARD, DARK_INK, ON_DARK = "#2A2521", "#F7F1E8", "#16120F"
"""The grounds and inks of the house that a brand colour must go with."""

CHROMA_MAX: Final = 0.15
FILL_LIGHT_MAX: Final = 0.60
TINT_LIGHT, TINT_CHROMA_MAX = 0.96, 0.022
HOVER_STEP: Final = 0.07
DARK_LIGHT_MIN: Final = 0.70
DARK_TINT_LIGHT, DARK_TINT_CHROMA_MAX = 0.32, 0.035
_STEP: Final = 0.0025
_GAMUT_STEPS: Final = 12
_LINEAR_BELOW: Final = 0.04045
_CURVED_ABOVE: Final = 0.0031308
_TOLERANCE: Final = 1e-4

TOKENS = ("--brand", "--brand-hover", "--brand-tint", "--brand-line", "--brand-dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A tenant's colours by day and by night, by the names that style sheets know them by."""

    light: dict[str, str]
    dark: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """That a colour called ``name`` must have a contrast with ``other``, which ``what`` says."""

    name: str
    other: str
    least: float
    what: str


@dataclass(frozen=True, slots=True)
class Oklch:
    """A colour by its lightness 0 to 1, its chroma and its hue in radians."""

    light: float
    chroma: float
    hue: float


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21.

    >>> round(contrast("#000000", "#FFFFFF"), 1)
    21.0
    """
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, 0 to 1."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _to_linear(red), _to_linear(green), _to_linear(blue)


def _to_linear(value: float) -> float:
    return value / 12.92 if value <= _LINEAR_BELOW else math.pow((value + 0.055) / 1.055, 2.4)


def to_oklch(colour: str) -> Oklch:
    """Return a colour written as #RRGGBB in OKLCH."""
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    light = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return Oklch(light, math.hypot(a, b), math.atan2(b, a))


def to_hex(colour: Oklch) -> str:
    """Return a colour as #RRGGBB, with less chroma where the screen has not so much."""
    least, most = 0.0, colour.chroma
    channels = _channels(colour.light, most, colour.hue)
    if not _is_shown(channels):
        for _ in range(_GAMUT_STEPS):
            middle = (least + most) / 2
            if _is_shown(_channels(colour.light, middle, colour.hue)):
                least = middle
            else:
                most = middle
        channels = _channels(colour.light, least, colour.hue)
    return "#" + "".join(f"{_byte(value):02X}" for value in channels)


def _channels(light: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _is_shown(channels: Iterable[float]) -> bool:
    return all(-_TOLERANCE <= value <= 1 + _TOLERANCE for value in channels)


def _byte(value: float) -> int:
    value = min(1.0, max(0.0, value))
    if value <= _CURVED_ABOVE:
        return round(255 * 12.92 * value)
    return round(255 * (1.055 * math.pow(value, 1 / 2.4) - 0.055))


def derive_theme(brand: str) -> Theme:
    """Derive every colour of a tenant from its brand colour, whose hue is kept.

    >>> derive_theme("#F2A6B8").light["--brand"] != "#F2A6B8"  # nobody could read white on it
    True
    """
    raw = to_oklch(brand)
    hue, chroma = raw.hue, min(raw.chroma, CHROMA_MAX)

    def shade(light: float, chroma_max: float = CHROMA_MAX) -> str:
        return to_hex(Oklch(light, min(chroma, chroma_max), hue))

    tint = shade(TINT_LIGHT, TINT_CHROMA_MAX)
    fill_light = _find(
        min(raw.light, FILL_LIGHT_MAX),
        -_STEP,
        lambda light: _holds(shade(light), (WHITE, 5.0), (PAPER, 4.8), (tint, 4.5)),
    )
    line_light = _find(0.72, -_STEP, lambda light: _holds(shade(light), (PAPER, 3.2)))
    dark_tint = shade(DARK_TINT_LIGHT, DARK_TINT_CHROMA_MAX)
    dark_light = _find(
        DARK_LIGHT_MIN,
        _STEP,
        lambda light: _holds(shade(light), (DARK_CARD, 5.0), (dark_tint, 4.5), (ON_DARK, 5.0)),
    )
    dark = shade(dark_light)
    light_tokens = {
        "--brand": shade(fill_light),
        "--brand-hover": shade(fill_light - HOVER_STEP),
        "--brand-tint": tint,
        "--brand-line": shade(line_light),
        "--brand-dark": dark,
    }
    return Theme(light=light_tokens, dark=_dark_tokens(dark, dark_tint))


def _dark_tokens(dark: str, tint: str) -> dict[str, str]:
    base = to_oklch(dark)
    hover = to_hex(Oklch(min(0.97, base.light + HOVER_STEP), base.chroma, base.hue))
    return {
        "--brand": dark,
        "--brand-hover": hover,
        "--brand-tint": tint,
        "--brand-line": dark,
    }


def _find(light: float, step: float, is_right: Callable[[float], bool]) -> float:
    while not is_right(light):
        light += step
        assert 0 < light < 1, "a colour light or dark enough always exists"
    return light


def _holds(colour: str, *grounds: tuple[str, float]) -> bool:
    return all(contrast(colour, ground) >= least for ground, least in grounds)


def complete(given: Mapping[str, str]) -> Theme:
    """Return the colours of a tenant: those its pack gives, and derived ones for the others.

    The brand colour itself is taken as a wish, and made as dark as its texts need.
    """
    theme = derive_theme(given["--brand"])
    light = theme.light | {name: value for name, value in given.items() if name != "--brand"}
    dark = theme.dark
    if "--brand-dark" in given:
        dark = _dark_tokens(given["--brand-dark"], theme.dark["--brand-tint"])
    return Theme(light=light, dark=dark)


def find_unreadable(given: Mapping[str, str]) -> Iterator[tuple[Demand, float]]:
    """Return what cannot be read among the colours that a pack gives, with its contrast."""
    fill = derive_theme(given["--brand"]).light["--brand"]
    demands = (
        Demand(name="--brand-hover", other=WHITE, least=5.0, what="white on it"),
        Demand(name="--brand-hover", other=PAPER, least=4.8, what="it on paper"),
        Demand(name="--brand-tint", other=fill, least=4.5, what="the brand colour on it"),
        Demand(name="--brand-tint", other=INK, least=7.0, what="ink on it"),
        Demand(name="--brand-line", other=PAPER, least=3.0, what="it on paper"),
        Demand(name="--brand-dark", other=DARK_CARD, least=5.0, what="it on the dark card"),
        Demand(name="--brand-dark", other=ON_DARK, least=5.0, what="the dark text on it"),
    )
    for demand in demands:
        if demand.name in given:
            ratio = contrast(given[demand.name], demand.other)
            if ratio < demand.least:
                yield demand, ratio


def to_css(theme: Theme) -> str:
    """Write colours as a style sheet that holds custom properties and nothing else."""
    light, dark = _block(theme.light), _block(theme.dark)
    return (
        f":root{{{light}}}\n"
        f':root[data-theme="dark"]{{{dark}}}\n'
        f'@media (prefers-color-scheme:dark){{:root[data-theme="auto"]{{{dark}}}}}\n'
    )


def _block(tokens: dict[str, str]) -> str:
    return ";".join(f"{name}:{value}" for name, value in sorted(tokens.items()))
