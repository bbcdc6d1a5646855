"""Whatever colour a tenant chooses, what is written on it and in it can be read."""

from __future__ import annotations

import itertools
import re

import pytest

from giftpad.tenancy.rules import colours
from giftpad.tenancy.rules.colours import contrast

DIGITS = "0123456789ABCDEF"


def all_three_digit_colours():
    return [
        "#" + "".join(2 * digit for digit in three) for three in itertools.product(DIGITS, repeat=3)
    ]


def ratios(theme):
    fill, hover, tint, line, dark = (theme.light[name] for name in colours.TOKENS)
    return {
        "white on fill": (contrast(colours.WHITE, fill), 5.0),
        "fill on paper": (contrast(fill, colours.PAPER), 4.8),
        "fill on tint": (contrast(fill, tint), 4.5),
        "white on hover": (contrast(colours.WHITE, hover), 5.0),
        "ink on tint": (contrast(colours.INK, tint), 13.0),
        "line on paper": (contrast(line, colours.PAPER), 3.0),
        "dark on dark card": (contrast(dark, colours.DARK_CARD), 5.0),
        "text on dark": (contrast(colours.ON_DARK, dark), 5.0),
        "text on dark hover": (contrast(colours.ON_DARK, theme.dark["--brand-hover"]), 5.0),
        "dark on dark tint": (contrast(dark, theme.dark["--brand-tint"]), 4.5),
        "ink on dark tint": (contrast(colours.DARK_INK, theme.dark["--brand-tint"]), 7.0),
    }


def test_every_three_digit_colour_becomes_readable():
    worst = {}
    for brand in all_three_digit_colours():
        for name, (ratio, least) in ratios(colours.derive_theme(brand)).items():
            worst[name] = min(worst.get(name, (99.0, least, brand)), (ratio, least, brand))
    assert {name: found for name, found in worst.items() if found[0] < found[1]} == {}


def test_a_readable_colour_stays_what_it_is_and_a_pale_one_keeps_its_hue():
    assert colours.derive_theme("#1F6F43").light["--brand"] == "#1F6F43"
    pale = colours.to_oklch("#F2A6B8")
    made = colours.to_oklch(colours.derive_theme("#F2A6B8").light["--brand"])
    assert abs(pale.hue - made.hue) < 0.05
    assert made.light < pale.light


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#FFFFFF", "#777777", 4.48), ("#165E83", "#FFFFFF", 7.1), ("#2B2420", "#FFFBF5", 14.8)],
)
def test_contrast_is_that_of_the_standard(one, other, ratio):
    assert abs(contrast(one, other) - ratio) < 0.05
    assert contrast(one, other) == contrast(other, one)


def test_a_colour_comes_back_from_oklch():
    for colour in ("#000000", "#FFFFFF", "#165E83", "#D9512C", "#00FF00", "#B7791F"):
        assert colours.to_hex(colours.to_oklch(colour)) == colour


def test_what_a_pack_gives_is_kept_and_checked():
    given = {"--brand": "#1F6F43", "--brand-tint": "#EAF6EF", "--brand-dark": "#7CC79B"}
    assert list(colours.find_unreadable(given)) == []
    theme = colours.complete(given)
    assert theme.light["--brand-tint"] == "#EAF6EF"
    assert theme.light["--brand-dark"] == theme.dark["--brand"] == "#7CC79B"
    bad = {
        "--brand": "#1F6F43",
        "--brand-hover": "#88AA99",
        "--brand-tint": "#7AA88B",
        "--brand-line": "#DDDDDD",
        "--brand-dark": "#30503E",
    }
    assert {demand.name for demand, _ in colours.find_unreadable(bad)} == set(bad) - {"--brand"}


def test_the_style_sheet_holds_colours_and_nothing_else():
    css = colours.to_css(colours.derive_theme("#1F6F43"))
    bare = re.sub(r"--brand(-[a-z]+)?:#[0-9A-F]{6};?", "", css)
    assert bare == (
        ':root{}\n:root[data-theme="dark"]{}\n'
        '@media (prefers-color-scheme:dark){:root[data-theme="auto"]{}}\n'
    )
