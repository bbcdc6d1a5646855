"""Colours of a printed face: named inks, tints and an accent that stays readable.

Hides: how a tenant's colour is darkened until type set in it can be read.
"""

from __future__ import annotations

import re

Rgb = tuple[float, float, float]

ACCENT_DEFAULT = "#165e83"
ACCENT_CONTRAST_MIN = 5.0
PERCENT_MAX = 100

_INKS = {"shu": "#c2441f", "kin": "#b7791f", "paper": "#ffffff", "ink": "#000000"}
_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LINEAR_BELOW = 0.04045


def is_hex(text: str) -> bool:
    """Say whether the text is a colour as ``#rrggbb``."""
    return _HEX.match(text) is not None


def resolve(name: str, accent: str) -> Rgb:
    """Turn ``accent``, ``ink/40`` or ``#rrggbb`` into red, green and blue from 0 to 1.

    The number after the slash is a percentage: how much of the ink stands on white paper.
    """
    if is_hex(name):
        return _rgb(name)
    ink, _, percent = name.partition("/")
    full = readable(accent) if ink == "accent" else _rgb(_INKS[ink])
    share = int(percent or PERCENT_MAX) / PERCENT_MAX
    red, green, blue = (1 - (1 - channel) * share for channel in full)
    return red, green, blue


def readable(accent: str) -> Rgb:
    """Darken a colour, hue kept, until text in it can be read on white paper."""
    colour = _rgb(accent)
    while _contrast_to_white(colour) < ACCENT_CONTRAST_MIN:
        red, green, blue = (channel * 0.96 for channel in colour)
        colour = (red, green, blue)
    return colour


def _rgb(text: str) -> Rgb:
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _contrast_to_white(colour: Rgb) -> float:
    """Measure contrast as WCAG 2.2 does.

    Source: WCAG 2.2, relative luminance and contrast ratio.
    """
    red, green, blue = (
        channel / 12.92 if channel <= _LINEAR_BELOW else ((channel + 0.055) / 1.055) ** 2.4
        for channel in colour
    )
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)
