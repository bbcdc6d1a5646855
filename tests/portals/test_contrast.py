"""Every pair of colours that words or signs stand in can be read, by day and by night."""

from __future__ import annotations

import re

import pytest

from giftpad.kernel.migrate import ROOT

FRONTEND = ROOT / "giftpad" / "portals" / "frontend"
DADS = FRONTEND / "node_modules" / "@digital-go-jp" / "design-tokens" / "dist" / "tokens.css"
TOKEN = re.compile(r"(--[\w-]+):\s*([^;}]+)[;}]")
TEXT, SIGN = 4.5, 3.0
GROUNDS = ("paper", "card", "sand")
PAIRS = [
    *((name, ground, TEXT) for name in ("ink", "ink-2", "brand", "ng") for ground in GROUNDS),
    *(("field", ground, SIGN) for ground in GROUNDS),
    *(("focus-outer", ground, SIGN) for ground in GROUNDS),
    *(("ink", f"{tint}-tint", TEXT) for tint in ("ok", "ng", "warn", "brand", "shu")),
    *((f"{name}-strong", f"{name}-tint", TEXT) for name in ("ok", "ng")),
    *(("on-brand", fill, TEXT) for fill in ("brand", "brand-hover")),
    *(("on-ng", fill, TEXT) for fill in ("ng", "ng-strong")),
    *(("ng", "ng-tint", TEXT), ("warn", "warn-tint", TEXT), ("brand", "brand-tint", TEXT)),
    *(("on-accepted", "accepted", TEXT), ("on-refused", "refused", TEXT)),
    *(("on-doubt", "doubt", TEXT), ("refused-frame", "refused", SIGN), ("shu", "card", SIGN)),
    ("chart-1", "card", SIGN),
]


def blocks() -> dict[str, dict[str, str]]:
    """Return the tokens as they hold by day, and by night in both ways to say so."""
    text = re.sub(r"/\*.*?\*/", "", (FRONTEND / "css" / "tokens.css").read_text("utf-8"))
    day, chosen, by_device = (
        text.split(start)[1].split("}")[0] + "}"
        for start in (":root {", ':root[data-theme="dark"] {', ':root[data-theme="auto"] {')
    )
    base = dict(TOKEN.findall(DADS.read_text("utf-8"))) | dict(TOKEN.findall(day))
    return {
        "day": base,
        "night": base | dict(TOKEN.findall(chosen)),
        "night by the device": base | dict(TOKEN.findall(by_device)),
    }


def luminance(tokens: dict[str, str], name: str) -> float:
    value = tokens[name].strip()
    if value.startswith("var("):
        return luminance(tokens, value[4:-1])
    parts = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(tokens: dict[str, str], one: str, other: str) -> float:
    light = sorted((luminance(tokens, f"--{one}"), luminance(tokens, f"--{other}")))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("when", ["day", "night", "night by the device"])
def test_every_pair_can_be_read(when):
    tokens = blocks()[when]
    found = {(one, other): round(contrast(tokens, one, other), 2) for one, other, _ in PAIRS}
    assert {pair: found[pair[:2]] for pair in PAIRS if found[pair[:2]] < pair[2]} == {}


def test_the_night_is_the_same_however_it_is_chosen():
    told = blocks()
    assert told["night"] == told["night by the device"]
    assert told["night"] != told["day"]


def test_the_three_answers_differ_by_polarity():
    tokens = blocks()["day"]
    accepted, refused = luminance(tokens, "--accepted"), luminance(tokens, "--refused")
    assert accepted < 0.1
    assert refused > 0.9
    assert contrast(tokens, "doubt", "accepted") > 5
